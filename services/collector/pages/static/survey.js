// Tells a button that was pressed from one that a program pressed, and keeps what was chosen so far, so that
// it can be gone on with later. Answers count the same without it: nothing is sent before a touch or a key.
const said = document.querySelector("input[name=hand]");
if (said) {
  const form = said.form;
  said.value = navigator.webdriver ? "driven" : "none";
  const touched = (event) => {
    if (event.isTrusted && said.value === "none") said.value = "touched";
  };
  for (const kind of ["pointerdown", "touchstart", "keydown", "input", "click"]) {
    addEventListener(kind, touched, { capture: true, passive: true });
  }
  const keep = async () => {
    if (said.value !== "touched") return;
    const body = new URLSearchParams(new FormData(form));
    body.set("draft", "1");
    try {
      const kept = await fetch(form.action, { method: "POST", body, keepalive: true });
      if (kept.status === 204) document.getElementById("kept").hidden = false;
    } catch {
      // Offline, or too much for a request that may outlive its page: the button sends it all.
    }
  };
  if ("keep" in form.dataset) form.addEventListener("change", keep);
}
