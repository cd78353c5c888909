// Tells a button that was pressed from one that a program pressed. Answers count the same without it: it
// keeps nothing, sends nothing by itself, and knows no more than whether there was a touch or a key.
const said = document.querySelector("input[name=hand]");
if (said) {
  said.value = navigator.webdriver ? "driven" : "none";
  const touched = (event) => {
    if (event.isTrusted && said.value === "none") said.value = "touched";
  };
  for (const kind of ["pointerdown", "touchstart", "keydown", "input", "click"]) {
    addEventListener(kind, touched, { capture: true, passive: true });
  }
}
