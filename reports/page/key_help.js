// Keys of a view, and the window that says which there are. Who types letters for other ends can turn them off.

/**
 * `choices` are pairs of a key and what it does, as text. Gives `{button, dialog, listen}`: both go into the view, and
 * `listen(root, actions)` calls `actions[key]()` when a key is pressed.
 */
function keyHelp(params, choices) {
  const isOn = params.get("keys") !== "off";
  const toggle = el("input", { type: "checkbox", id: "keys-on", checked: isOn });
  toggle.addEventListener("change", () => note({ keys: toggle.checked ? "" : "off" }));
  const close = el("button", { type: "button", id: "keys-close" }, t("samples_close"));
  const dialog = el(
    "dialog",
    { id: "keys-help", "aria-labelledby": "keys-title" },
    el("h3", { id: "keys-title" }, t("samples_keys")),
    el(
      "dl",
      { class: "keys" },
      [...choices, ["?", t("samples_key_help")]].map(([key, text]) =>
        el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)),
      ),
    ),
    el("p", {}, el("label", {}, toggle, " ", t("samples_keys_on"))),
    el("p", {}, close),
  );
  close.addEventListener("click", () => dialog.close());
  const button = el(
    "button",
    { type: "button", id: "keys-button", "aria-haspopup": "dialog" },
    t("samples_keys"),
    " ",
    el("kbd", { "aria-hidden": "true" }, "?"),
  );
  button.addEventListener("click", () => dialog.showModal());
  const listen = (root, actions) =>
    root.addEventListener("page-key", ({ detail: key }) => {
      if (dialog.open || !toggle.checked) return;
      if (key === "?") dialog.showModal();
      else if (Object.hasOwn(actions, key)) actions[key]();
    });
  return { button, dialog, listen };
}
