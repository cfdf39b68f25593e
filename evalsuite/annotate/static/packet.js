// The offline packet: one pair after another, kept in this browser, and saved to a file that goes to the coordinator.
"use strict";
(() => {
  const forms = [...document.querySelectorAll("form.ballot")];
  const about = document.getElementById("about").dataset;
  const ballots = forms.map(ballotOf);
  const place = (name) => document.getElementById(name);
  const names = ["choice", "quality_left", "quality_right"];
  // What is kept: answers by assignment, each numbered by its changes, and the numbers that were saved to a file. Two
  // windows of one packet share it: what is stored is read again before it is written, and the higher number stays.
  let state = { answers: {}, saved: {} };
  let at = 0;
  const merged = (one, other) => {
    const answers = { ...one.answers };
    for (const [name, answer] of Object.entries(other.answers || {})) {
      if (!answers[name] || answers[name].number < answer.number) answers[name] = answer;
    }
    const saved = { ...one.saved };
    for (const [name, number] of Object.entries(other.saved || {})) saved[name] = Math.max(number, saved[name] || 0);
    return { answers, saved };
  };
  const reread = () => {
    try {
      state = merged(state, JSON.parse(localStorage.getItem(about.store) || "{}"));
    } catch { /* a browser that keeps nothing: the file is the only copy */ }
  };
  const keep = () => {
    reread();
    try {
      localStorage.setItem(about.store, JSON.stringify(state));
    } catch { /* as above */ }
  };
  reread();

  const numAnswered = () => forms.filter((form) => form.dataset.assignment in state.answers).length;
  const numUnsaved = () => Object.entries(state.answers)
    .filter(([name, answer]) => answer.number > (state.saved[name] || 0)).length;
  const fill = (text, count) => text.replace("{count}", count);
  const show = () => {
    forms.forEach((form, index) => {
      form.hidden = index !== at;
      ballots[index].watch(index === at);
    });
    const left = forms.length - numAnswered();
    place("left").textContent = left ? fill(about.left, left) : about.done;
    place("unsaved").textContent = numUnsaved() ? fill(about.unsaved, numUnsaved()) : "";
    place("bar").value = numAnswered();
    place("number").textContent = about.progress.replace("{done}", at + 1).replace("{total}", forms.length);
    place("previous").disabled = at === 0;
    place("next").disabled = at === forms.length - 1;
    ballots[at].refresh();
  };
  const goTo = (index) => {
    at = Math.min(Math.max(index, 0), forms.length - 1);
    show();
    window.scrollTo(0, 0);
  };

  const store = (index, isSkip) => {
    const form = forms[index];
    const entries = new FormData(form);
    const value = (name) => (isSkip ? "" : entries.get(name) || "");
    const said = {
      choice: isSkip ? "skip" : value("choice"),
      quality_left: value("quality_left"),
      quality_right: value("quality_right"),
      reason: (entries.get("reason") || "").trim(),
    };
    reread();
    const before = state.answers[form.dataset.assignment];
    if (before && Object.keys(said).every((name) => said[name] === before[name])) return;
    state.answers[form.dataset.assignment] = {
      number: 1 + (before ? before.number : 0),
      ...said,
      cast_at: new Date().toISOString(),
      ...ballots[index].observed(),
    };
    keep();
    if (isSkip) form.querySelectorAll("input[type=radio]").forEach((radio) => { radio.checked = false; });
  };
  // Whoever goes on, or saves the file, without the button has answered all the same.
  const storeWhole = () => {
    if (forms[at].checkValidity()) store(at, false);
  };

  const fillIn = (form) => {
    const answer = state.answers[form.dataset.assignment];
    if (!answer) return;
    for (const name of names) {
      const radio = form.querySelector(`input[name=${name}][value="${CSS.escape(answer[name])}"]`);
      if (radio) radio.checked = true;
    }
    form.elements.reason.value = answer.reason;
  };
  window.addEventListener("storage", () => {
    reread();
    forms.forEach((form, index) => { if (index !== at) fillIn(form); });
    show();
  });
  forms.forEach((form, index) => {
    fillIn(form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      store(index, event.submitter !== null && event.submitter.value === "skip");
      goTo(index + 1 < forms.length ? index + 1 : index);
    });
  });
  place("previous").addEventListener("click", () => { storeWhole(); goTo(at - 1); });
  place("next").addEventListener("click", () => { storeWhole(); goTo(at + 1); });
  place("save").addEventListener("click", () => {
    storeWhole();
    reread();
    const answers = Object.entries(state.answers).map(([assignment, answer]) => ({ assignment, ...answer }));
    const content = { evalsuite_packet: 1, packet: about.packet, saved_at: new Date().toISOString(), answers };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    link.download = about.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    for (const answer of answers) state.saved[answer.assignment] = answer.number;
    keep();
    show();
  });
  document.addEventListener("visibilitychange", () => ballots[at].watch(true));
  document.addEventListener("keydown", (event) => {
    if (ballots[at].press(event) || event.target.matches("textarea")) return;
    if (event.code === "KeyU" && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) goTo(at - 1);
  });
  window.addEventListener("beforeunload", (event) => { if (numUnsaved()) event.preventDefault(); });
  goTo(Math.max(0, forms.findIndex((form) => !(form.dataset.assignment in state.answers))));
})();
