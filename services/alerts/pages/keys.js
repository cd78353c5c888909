// The inbox by keyboard. Letters act while a case has the focus, or anywhere if the reader wants that (WCAG 2.1.4);
// never while somebody types. Everything that they do is there to be clicked as well.
const keys = document.getElementById("keys");
const help = keys.querySelector("dialog");
const said = keys.querySelector("[role=status]");
const take = keys.querySelector("form[method=post]");
const everywhere = document.getElementById("keys-everywhere");

const remembered = (value) => {
  try {
    if (value !== undefined) localStorage.setItem("keys", value);
    return localStorage.getItem("keys");
  } catch {
    return null;
  }
};
everywhere.checked = remembered() === "everywhere";
everywhere.addEventListener("change", () => remembered(everywhere.checked ? "everywhere" : "list"));
keys.querySelector("button[aria-haspopup]").addEventListener("click", () => help.showModal());

const cases = () => [...document.querySelectorAll(".lines a.line")];

const go = (to) => {
  const all = cases();
  const row = all[Math.max(0, Math.min(to, all.length - 1))];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
};

const acts = {
  j: (at) => go(at + 1),
  ArrowDown: (at) => go(at + 1),
  k: (at) => go(at < 0 ? 0 : at - 1),
  ArrowUp: (at) => go(at < 0 ? 0 : at - 1),
  Home: () => go(0),
  End: () => go(Infinity),
  a: (at) => {
    const row = cases()[at];
    if (!row) return;
    if (!row.dataset.version) {
      said.textContent = "This case is taken already.";
      return;
    }
    take.action = `${row.getAttribute("href")}/acknowledge`;
    take.elements.version.value = row.dataset.version;
    take.submit();
  },
  "?": () => help.showModal(),
};
const LETTERS = new Set(["j", "k", "a", "?"]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
  const at = cases().indexOf(document.activeElement);
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  // Arrows, Home and End scroll the page where no case has the focus.
  const heard = at >= 0 || (everywhere.checked && !typing && LETTERS.has(event.key));
  if (!heard || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key](at);
});

keys.hidden = false;
