// The online page. Without scripts it is a form like any other.
"use strict";
(() => {
  const form = document.getElementById("ballot");
  const undo = document.getElementById("undo");
  const ballot = ballotOf(form);
  ballot.watch(true);
  document.addEventListener("visibilitychange", () => ballot.watch(true));
  document.addEventListener("keydown", (event) => {
    if (ballot.press(event) || !undo || event.target.matches("textarea")) return;
    if (event.code === "KeyU" && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) undo.requestSubmit();
  });
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    isSent = true;
    for (const [name, value] of Object.entries(ballot.observed())) form.elements[name].value = value;
  });
  window.addEventListener("pageshow", () => { isSent = false; });
})();
