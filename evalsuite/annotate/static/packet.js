// The offline packet: one pair after another, kept in this browser, and saved to a file that goes to the coordinator.
"use strict";
(() => {
  const forms = [...document.querySelectorAll("form.ballot")];
  const about = document.getElementById("about").dataset;
  const ballots = forms.map(ballotOf);
  const place = (name) => document.getElementById(name);
  const names = ["choice", "quality_left", "quality_right"];
  let state = { answers: {}, saved: 0, at: 0 };
  try {
    state = Object.assign(state, JSON.parse(localStorage.getItem(about.store) || "{}"));
  } catch { /* a browser that keeps nothing: the file is the only copy */ }
  const keep = () => {
    try {
      localStorage.setItem(about.store, JSON.stringify(state));
    } catch { /* as above */ }
  };

  const numAnswered = () => forms.filter((form) => form.dataset.assignment in state.answers).length;
  const numUnsaved = () => Object.values(state.answers).filter((answer) => answer.number > state.saved).length;
  const fill = (text, count) => text.replace("{count}", count);
  const show = () => {
    forms.forEach((form, index) => {
      form.hidden = index !== state.at;
      ballots[index].watch(index === state.at);
    });
    const left = forms.length - numAnswered();
    place("left").textContent = left ? fill(about.left, left) : about.done;
    place("unsaved").textContent = numUnsaved() ? fill(about.unsaved, numUnsaved()) : "";
    place("bar").value = numAnswered();
    place("number").textContent = about.progress.replace("{done}", state.at + 1).replace("{total}", forms.length);
    place("previous").disabled = state.at === 0;
    place("next").disabled = state.at === forms.length - 1;
    ballots[state.at].refresh();
  };
  const goTo = (index) => {
    state.at = Math.min(Math.max(index, 0), forms.length - 1);
    keep();
    show();
    window.scrollTo(0, 0);
  };

  forms.forEach((form, index) => {
    const answer = state.answers[form.dataset.assignment];
    if (answer) {
      for (const name of names) {
        const radio = form.querySelector(`input[name=${name}][value="${CSS.escape(answer[name])}"]`);
        if (radio) radio.checked = true;
      }
      form.elements.reason.value = answer.reason;
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const isSkip = event.submitter !== null && event.submitter.value === "skip";
      const entries = new FormData(form);
      const value = (name) => (isSkip ? "" : entries.get(name) || "");
      state.answers[form.dataset.assignment] = {
        number: 1 + Math.max(0, ...Object.values(state.answers).map((each) => each.number)),
        choice: isSkip ? "skip" : value("choice"),
        quality_left: value("quality_left"),
        quality_right: value("quality_right"),
        reason: (entries.get("reason") || "").trim(),
        cast_at: new Date().toISOString(),
        ...ballots[index].observed(),
      };
      if (isSkip) form.querySelectorAll("input[type=radio]").forEach((radio) => { radio.checked = false; });
      goTo(index + 1 < forms.length ? index + 1 : index);
    });
  });
  place("previous").addEventListener("click", () => goTo(state.at - 1));
  place("next").addEventListener("click", () => goTo(state.at + 1));
  place("save").addEventListener("click", () => {
    const answers = Object.entries(state.answers).map(([assignment, answer]) => ({ assignment, ...answer }));
    const content = { evalsuite_packet: 1, packet: about.packet, saved_at: new Date().toISOString(), answers };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    link.download = about.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    state.saved = Math.max(0, ...answers.map((answer) => answer.number));
    keep();
    show();
  });
  document.addEventListener("visibilitychange", () => ballots[state.at].watch(true));
  document.addEventListener("keydown", (event) => {
    if (ballots[state.at].press(event) || event.target.matches("textarea")) return;
    if (event.code === "KeyU" && !event.ctrlKey && !event.metaKey && !event.altKey) goTo(state.at - 1);
  });
  window.addEventListener("beforeunload", (event) => { if (numUnsaved()) event.preventDefault(); });
  goTo(state.at);
})();
