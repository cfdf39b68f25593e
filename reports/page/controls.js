// Controls under a label of their own. Each has an id, by which the reader finds it again when a view is made anew.

/** A control and its label. */
function labelled(id, label, control) {
  return el("div", {}, el("label", { for: id }, label), control);
}

/** A choice among `choices`, pairs of value and text; `change(value)` is called with what is chosen. */
function chooser(id, label, choices, chosen, change) {
  const options = choices.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
  const select = el("select", { id }, options);
  select.addEventListener("change", () => change(select.value));
  return labelled(id, label, select);
}

/** A choice among runs, which the address holds in `param` by the start of their ids; of `chosen` -1 none is chosen. */
function runChooser(id, label, chosen, param) {
  const choices = runsInOrder().map((run) => [shortId(run), plain(runName(run))]);
  if (chosen < 0) choices.unshift(["", t("none")]);
  return chooser(id, label, choices, chosen < 0 ? "" : shortId(chosen), (value) => go(changed({ [param]: value })));
}

/** A choice among names from outside, or of all of them: the value is "" then. Halves of characters do not count. */
function nameChooser(id, label, all, names, chosen, change) {
  const found = names.find((one) => wellFormed(one) === wellFormed(chosen)) ?? "";
  return chooser(id, label, [["", all], ...names.map((one) => [one, plain(one)])], found, change);
}

/** A button that stays down while `isOn`; pressing it makes `changes` to the address. */
function toggleButton(id, label, isOn, changes) {
  const button = el("button", { type: "button", id, "aria-pressed": String(isOn) }, label);
  button.addEventListener("click", () => go(changed(changes)));
  return button;
}
