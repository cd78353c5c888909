// Keeps a page as it would be if it were opened now: when the stream tells of a change, the page is asked for
// again and what differs is put in place. Nothing that somebody is typing or points at is touched. Without this
// script the page is as it was when it was opened.
const bar = document.getElementById("live");
const { events, stream: opened, every, about } = bar.dataset;
const wanted = Object.entries(JSON.parse(about)); // of an event that concerns this page
const words = bar.dataset;
const button = bar.querySelector("button");
const state = bar.querySelector("[data-state]");
const said = bar.querySelector("[role=status]");
const GAP = 1000 * bar.dataset.gap; // milliseconds between two askings
const AGAIN = 30000; // until a stream that was refused is tried again, and the page asked for meanwhile
const LOST = 10000; // that a stream may take to come back before a reader is told
let stream = opened;
let source = null;
let waits = 0; // timers
let retries = 0;
let missing = 0;
let asking = false;
let stale = false;
let asked = -Infinity; // the first change is shown at once

const stored = () => {
  try {
    return localStorage.getItem("live");
  } catch {
    return null;
  }
};
let on = stored() !== "off";

const show = (text) => {
  if (state.textContent !== text) state.textContent = text;
};

// --- what differs is put in place ---------------------------------------------------------------------------

const typed = (field) => {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) {
    const first = Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
    return field.selectedIndex !== first;
  }
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
};
const busy = (form) => form.contains(document.activeElement) || [...form.elements].some(typed);
const kept = (node) =>
  node.nodeType === 1 &&
  [node, ...node.querySelectorAll("form, [data-keep]")].some(
    (one) => one.matches("[data-keep]") || (one.matches("form") && busy(one)),
  );

const attributes = (old, now) => {
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
  }
};

const alike = (old, now) =>
  old.nodeName === now.nodeName && !old.id && old.getAttribute?.("class") === now.getAttribute?.("class");
// Which of the nodes from `at` on becomes `next`: the one with its id; else one of its kind, the nearest first.
const match = (parent, at, next) => {
  if (next.id) return [...parent.children].find((one) => one.id === next.id && one.nodeName === next.nodeName);
  for (let one = at; one; one = one.nextSibling) if (alike(one, next)) return one;
  return at && !at.id && at.nodeName === next.nodeName ? at : null;
};

const settle = (old, now) => {
  if (old.isEqualNode(now)) return;
  if (old.nodeType !== 1) {
    old.nodeValue = now.nodeValue;
    return;
  }
  if (old.matches("[data-keep]") || (old.matches("form") && busy(old))) return;
  attributes(old, now);
  let at = old.firstChild;
  for (const next of [...now.childNodes]) {
    const found = match(old, at, next);
    if (!found) old.insertBefore(document.importNode(next, true), at);
    else {
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      settle(found, next);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    if (!kept(gone)) gone.remove();
  }
};

// --- what is said of it ---------------------------------------------------------------------------------------

const items = () =>
  new Map([...document.querySelectorAll("[data-said]")].map((one) => [one.id, { ...one.dataset }]));

const say = (before, after) => {
  const fresh = [];
  const other = [];
  for (const [id, now] of after) {
    const was = before.get(id);
    if (!was) fresh.push(now.said);
    else if ((was.look ?? was.said) !== (now.look ?? now.said)) other.push(now.said);
  }
  const some = (template, names) => {
    if (!names.length) return "";
    const more = names.length > 3 ? ` ${words.more.replace("%(num)s", names.length - 3)}` : "";
    return template.replace("%(names)s", names.slice(0, 3).join("; ") + more);
  };
  const text = [some(words.new, fresh), some(words.changed, other)].filter(Boolean).join(" ");
  if (text) said.textContent = text;
};

// --- asking ---------------------------------------------------------------------------------------------------

const refresh = async () => {
  if (asking || !on || document.hidden) {
    stale = true;
    return;
  }
  asking = true;
  stale = false;
  clearTimeout(waits);
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    const now = new DOMParser().parseFromString(await answer.text(), "text/html");
    put(now);
  } catch {
    show(words.lost);
  } finally {
    asked = performance.now();
    asking = false;
    plan();
  }
};

const put = (now) => {
  const fresh = now.getElementById("live");
  if (!fresh || !on) return;
  stream = fresh.dataset.stream;
  const before = items();
  const active = document.activeElement;
  const place = [...before.keys()].indexOf(active.closest("[data-said]")?.id);
  settle(document.getElementById("content"), now.getElementById("content"));
  if (document.activeElement !== active) {
    // It was moved, or is gone: then the next in its place.
    const left = place < 0 ? [] : [...items().keys()];
    const next = document.getElementById(left[Math.min(place, left.length - 1)])?.querySelector("a");
    (active.isConnected ? active : next)?.focus({ preventScroll: true });
  }
  say(before, items());
  const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  show(words.at.replace("%(time)s", time));
  document.dispatchEvent(new Event("live:put"));
};

// Soon, but not more often than the gap; and by itself, where the page shows clocks that run.
const plan = () => {
  clearTimeout(waits);
  if (!on || document.hidden) return;
  const gap = Math.max(0, GAP - (performance.now() - asked));
  if (stale) waits = setTimeout(refresh, gap);
  else if (!source || source.readyState === EventSource.CLOSED) waits = setTimeout(refresh, AGAIN);
  else if (Number(every)) waits = setTimeout(refresh, 1000 * every);
};
const change = () => {
  stale = true;
  if (!asking) plan();
};

const heard = (event) => {
  const told = wanted.length ? JSON.parse(event.data) : {};
  if (wanted.every(([field, value]) => told[field] === value)) change();
};

// --- the stream -----------------------------------------------------------------------------------------------

const close = () => {
  source?.close();
  source = null;
  for (const timer of [waits, retries, missing]) clearTimeout(timer);
};
const listen = () => {
  close();
  if (!on || document.hidden) return;
  source = new EventSource(stream);
  for (const name of events.split(" ")) source.addEventListener(name, heard);
  source.onopen = () => {
    clearTimeout(missing);
    if (state.textContent === words.lost) change();
    plan();
  };
  source.onerror = () => {
    clearTimeout(missing);
    if (source.readyState !== EventSource.CLOSED) {
      missing = setTimeout(() => show(words.lost), LOST); // it tries again by itself
      return;
    }
    show(words.lost);
    plan();
    retries = setTimeout(listen, AGAIN);
  };
};

const set = (now) => {
  on = now;
  button.setAttribute("aria-pressed", on);
  if (!on) {
    close();
    show(words.off);
    return;
  }
  show("");
  listen();
};
button.addEventListener("click", () => {
  set(!on);
  try {
    localStorage.setItem("live", on ? "on" : "off");
  } catch {
    // It holds for this page then.
  }
  if (on) change();
});
// Nobody looks at a hidden page: it holds no stream, and catches up when it is seen again.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) close();
  else if (on) {
    listen();
    change();
  }
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted && on) {
    listen();
    change();
  }
});

bar.hidden = false;
set(on);
