// Parts of a view that are made when they are first opened. Which are open stands in the address under "open".

const NONE_OPEN = "-";

/** The keys of the parts that are open: those in the address, else `usual`. */
function openParts(usual = []) {
  const asked = place().params.get("open");
  return new Set(asked === undefined ? usual : asked.split(",").filter((key) => key !== NONE_OPEN));
}

/** A part under `title` that opens, with what `make()` gives; `usual` are the keys open where the address has none. */
function fold(key, title, make, usual = []) {
  const part = el("details", { class: "fold" }, el("summary", { id: "fold-" + key }, title));
  let isMade = false;
  const build = () => {
    if (!isMade) part.append(el("div", { class: "folded" }, make()));
    isMade = true;
  };
  part.open = openParts(usual).has(key);
  if (part.open) build();
  part.addEventListener("toggle", () => {
    const open = openParts(usual);
    if (part.open) build();
    if (part.open === open.has(key) || !part.isConnected) return;
    if (part.open) open.add(key);
    else open.delete(key);
    note({ open: [...open].join(",") || NONE_OPEN });
  });
  return part;
}
