// Asks Afterword whether a survey waits for whoever is signed in, and shows it in a corner of the page.
// No cookies, no inline styles, nothing outside its own shadow root; see docs/widget.md.
(() => {
  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const LATER = "afterword-later";
  const DAY = 864e5;
  const el = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== "") made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const memory = {
    later() { try { return Number(localStorage.getItem(LATER)) > Date.now(); } catch { return false; } },
    put() { try { localStorage.setItem(LATER, String(Date.now() + DAY)); } catch { /* private mode */ } },
  };
  const call = (path, token, query, body) => fetch(`${home}/v1/widget/${path}?${new URLSearchParams(query)}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
    credentials: "omit",
  });
  const STYLE = `
:host { all: initial }
* { box-sizing: border-box; font: inherit; color: inherit }
section { color-scheme: light dark; --bg: #fff; --text: #1a1d29; --muted: #565d73; --edge: #858da6; --accent: var(--light); --ink: var(--light-ink); --bad: #b3261e;
  position: fixed; inset-block-end: 1rem; inset-inline-end: 1rem; z-index: 2147483000; width: min(25rem, calc(100vw - 2rem));
  max-height: calc(100vh - 2rem); overflow: auto; padding: 1.1rem 1.2rem 1.2rem; border-radius: .9rem; background: var(--bg); color: var(--text);
  border: 1px solid var(--edge); box-shadow: 0 10px 40px rgb(0 0 0 / .2); font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
@media (prefers-color-scheme: dark) { section { --bg: #191c26; --text: #eceef6; --muted: #a5acc2; --edge: #737c96; --accent: var(--dark); --ink: var(--dark-ink); --bad: #ff9c94 } }
header { display: flex; gap: .5rem; align-items: start; justify-content: space-between }
h2 { margin: .45rem 0 0; font-size: .95rem; font-weight: 560; color: var(--muted) }
form, fieldset, .field { display: grid; gap: .6rem; margin: 0; padding: 0; border: 0; min-width: 0 }
form { gap: 1.1rem } [hidden] { display: none }
legend, .label { padding: 0; margin: 0 0 .35rem; font-weight: 620; font-size: 1.05rem }
small { color: var(--muted); font-size: .88rem; font-weight: 400 }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: .25rem }
.row.many { grid-auto-flow: row; grid-template-columns: repeat(6, minmax(0, 1fr)) }
.row label { position: relative } .row input { position: absolute; inset: 0; opacity: 0; margin: 0; width: 100%; height: 100%; cursor: pointer }
.row span { display: grid; place-items: center; min-height: 44px; border: 1px solid var(--edge); border-radius: .5rem; font-weight: 600 }
.row input:checked + span { background: var(--accent); color: var(--ink); border-color: var(--accent) }
.row input:focus-visible + span, button:focus-visible, a:focus-visible, textarea:focus-visible, .pick input:focus-visible, h2:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.ends { display: flex; justify-content: space-between; gap: 1rem }
.pick { display: flex; gap: .7rem; align-items: center; min-height: 44px } .pick input { width: 1.3rem; height: 1.3rem; accent-color: var(--accent); flex: none }
textarea { width: 100%; min-height: 5rem; padding: .6rem .7rem; border: 1px solid var(--edge); border-radius: .5rem; background: none; resize: vertical }
button { min-height: 44px; padding: .5rem 1rem; border-radius: .6rem; border: 1px solid var(--edge); background: none; cursor: pointer; font-weight: 600 }
button.send { background: var(--accent); color: var(--ink); border-color: var(--accent) }
.error { color: var(--bad); margin: 0; font-size: .92rem } .actions { display: flex; flex-wrap: wrap; gap: .6rem }
a { color: var(--accent); font-size: .9rem } p { margin: 0 } .promise { margin-block: .6rem 1rem }`;

  const draw = (sheet, token) => {
    const host = el("afterword-survey", { lang: sheet.language, dir: sheet.direction });
    const root = host.attachShadow({ mode: "open" });
    const css = new CSSStyleSheet();
    const [light, dark] = [sheet.colours.light, sheet.colours.dark];
    css.replaceSync(`${STYLE}\n:host { --light: ${light[0]}; --light-ink: ${light[1]}; --dark: ${dark[0]}; --dark-ink: ${dark[1]} }`);
    root.adoptedStyleSheets = [css];
    const before = document.activeElement;
    const words = sheet.words;
    const heading = el("h2", { id: "title", tabindex: "-1" }, sheet.title || sheet.asker);
    const close = el("button", { type: "button", "aria-label": words.close }, "\u00d7");
    const panel = el("section", { role: "dialog", "aria-labelledby": "title" }, el("header", {}, heading, close));
    const gone = () => {
      host.remove();
      if (before && before.isConnected && before !== document.body) before.focus();
    };
    const later = () => { memory.put(); gone(); };
    close.addEventListener("click", later);
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") later(); });

    const fields = sheet.questions.map((question) => field(question, words));
    const send = el("button", { class: "send" }, words.send);
    const no = el("button", { type: "button" }, words.later);
    no.addEventListener("click", later);
    const said = el("p", { class: "error", role: "alert" });
    const form = el("form", { novalidate: true }, ...fields.map((one) => one.box), said,
      el("div", { class: "actions" }, send, no), el("a", { href: sheet.url, target: "_blank", rel: "noopener" }, words.whole));
    const promise = sheet.incentive ? [el("p", { class: "promise", dir: "auto" }, sheet.incentive)] : [];
    const given = () => {
      const answers = {};
      for (const one of fields) {
        const fits = Object.entries(one.question.when).every(([name, bounds]) => meets(answers[name], bounds));
        one.box.hidden = !fits;
        const value = fits ? one.value() : undefined;
        if (value !== undefined) answers[one.question.id] = value;
      }
      return answers;
    };
    form.addEventListener("change", given);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      said.textContent = "";
      for (const one of fields) one.complain("");
      let answer;
      try {
        answer = await call("answers", token, { lang: sheet.language }, { survey: sheet.survey, answers: given() });
      } catch {
        answer = { status: 0 };
      }
      send.disabled = false;
      if (answer.status === 201) {
        const { mood } = await answer.json();
        heading.textContent = words.thanks;
        form.replaceWith(el("p", { role: "status" }, words[mood]), ...promise);
        heading.focus();
      } else if (answer.status === 422) {
        const { errors = {} } = await answer.json();
        const wrong = fields.filter((one) => Object.keys(errors).some((name) => name.split(".")[0] === one.question.id));
        for (const one of wrong) one.complain(words.missing);
        if (wrong.length) wrong[0].focus();
        else said.textContent = words.failed;
      } else {
        said.textContent = words.failed;
      }
    });
    panel.append(...promise, form);
    root.append(panel);
    given();
    document.body.append(host);
  };

  const meets = (value, bounds) => value !== undefined && (Array.isArray(value) || typeof value === "string"
    ? [].concat(value).includes(bounds.eq)
    : (bounds.gte === undefined || value >= bounds.gte) && (bounds.lte === undefined || value <= bounds.lte)
      && (bounds.eq === undefined || value === bounds.eq));

  const scale = (name, question) => el("div", { class: question.values.length > 7 ? "row many" : "row" },
    ...question.values.map((value, place) => {
      const end = place === 0 ? question.low : place === question.values.length - 1 ? question.high : "";
      return el("label", {}, el("input", { type: "radio", name, value, "aria-label": end && `${value} (${end})` }), el("span", {}, question.names[place]));
    }));
  const chosen = (box, name) => {
    const found = [...box.querySelectorAll("input:checked")].filter((one) => one.name === name);
    return found.map((one) => one.value);
  };
  const number = (texts) => (texts.length ? Number(texts[0]) : undefined);

  const field = (question, words) => {
    const name = `q-${question.id}`;
    const text = [question.text, ...(question.optional && question.kind !== "consent" ? [" ", el("small", {}, `(${words.optional})`)] : [])];
    const error = el("p", { class: "error", id: `${name}-error` });
    const ends = question.low || question.high
      ? [el("div", { class: "ends", "aria-hidden": "true" }, el("small", {}, question.low), el("small", {}, question.high))] : [];
    const group = (...inside) => el("fieldset", { dir: "auto" }, el("legend", {}, ...text), ...inside, error);
    const pick = (type, value, label) => el("label", { class: "pick" }, el("input", { type, name, value }), el("span", {}, label));
    let box;
    let value;
    if (question.kind === "scale") {
      box = group(scale(name, question), ...ends);
      value = () => number(chosen(box, name));
    } else if (question.kind === "matrix") {
      box = group(...ends, ...question.items.map((item) =>
        el("fieldset", {}, el("legend", {}, el("small", {}, item.text)), scale(`${name}:${item.id}`, question))));
      value = () => {
        const rows = question.items.map((item) => [item.id, number(chosen(box, `${name}:${item.id}`))]);
        const given = rows.filter(([, one]) => one !== undefined);
        return given.length ? Object.fromEntries(given) : undefined;
      };
    } else if (question.kind === "choice") {
      box = group(...question.items.map((item) => pick(question.multiple ? "checkbox" : "radio", item.id, item.text)));
      value = () => { const found = chosen(box, name); return found.length ? (question.multiple ? found : found[0]) : undefined; };
    } else if (question.kind === "consent") {
      box = el("div", { class: "field", dir: "auto" }, pick("checkbox", "yes", question.text));
      value = () => (chosen(box, name).length ? true : undefined);
    } else {
      const area = el("textarea", { id: name, maxlength: "4000", dir: "auto" });
      box = el("div", { class: "field", dir: "auto" }, el("label", { class: "label", for: name }, ...text), area, error);
      value = () => area.value.trim() || undefined;
    }
    const inputs = () => [...box.querySelectorAll("input, textarea")];
    const complain = (what) => {
      error.textContent = what;
      for (const one of inputs()) {
        if (what) one.setAttribute("aria-describedby", error.id);
        else one.removeAttribute("aria-describedby");
      }
    };
    return { question, box, value, complain, focus: () => inputs()[0].focus() };
  };

  // `link`: a shared link, whose survey is shown to whoever is signed in and has not answered it.
  const ask = async (token, link = "") => {
    if (!token || memory.later() || document.querySelector("afterword-survey")) return;
    try {
      const answer = await call("pending", token, { lang: script.dataset.lang ?? "", link });
      if (answer.status === 200) draw(await answer.json(), token);
      else if (answer.status !== 204) console.warn(`afterword: ${answer.status} ${(await answer.json()).detail}`);
    } catch (error) {
      console.warn(`afterword: ${error}`);
    }
  };
  window.afterword = { ask };
  ask(script.dataset.token, script.dataset.link);
})();
