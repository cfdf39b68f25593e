// Pictures of a judged benchmark's parts: a radar, which has no intervals, and the same numbers as dots, which have.

const MOST_PICTURED = 6;
const RADAR = { width: 420, height: 350, radius: 125 };
const STRIP = { width: 240, row: 15, from: 22, to: 230 };
const MARKS = ["circle", "square", "up", "diamond", "down", "cross"];

function judgePictures(section, layout) {
  const [judging] = section.judgings;
  const metrics = judgeMetrics(judging);
  const pick = (keys) => keys.map((key) => metrics.find((one) => one.metric === key)).filter(Boolean);
  const [spokes, rows] = [pick(layout.pictured), pick(layout.dotted)];
  if (spokes.length < 3) return null;
  const chosen = picturedRuns(section);
  return [
    el("h4", {}, t("judge_pictures")),
    el("p", { class: "quiet legend" }, t("judge_pictures_lead")),
    pictureChooser(section, chosen),
    el("div", { class: "charts judged" }, radarFigure(section, chosen, spokes), dotsTable(section, chosen, rows)),
  ];
}

// -- who is in the pictures

/** The runs in the pictures: those in the address, else the first ones. */
function picturedRuns({ runs }) {
  const asked = picturedIds();
  const found = runs.filter((run) => asked.includes(shortId(run)));
  return (found.length ? found : runs).slice(0, MOST_PICTURED);
}

function picturedIds() {
  return (place().params.get("models") || "").split(",").filter(Boolean);
}

function pictureChooser(section, chosen) {
  const { at, runs } = section;
  const others = picturedIds().filter((id) => !runs.some((run) => shortId(run) === id));
  const boxes = runs.map((run) => {
    const style = chosen.indexOf(run);
    const isOn = style >= 0;
    const isFixed = isOn ? chosen.length === 1 : chosen.length === MOST_PICTURED;
    const box = el("input", {
      type: "checkbox",
      id: `judges-pictured-${at}-${shortId(run)}`,
      checked: isOn,
      disabled: isFixed,
    });
    box.addEventListener("change", () => {
      const kept = runs.filter((one) => (one === run ? box.checked : chosen.includes(one)));
      go(changed({ models: [...others, ...kept.map(shortId)].join(",") }));
    });
    return el(
      "label",
      {},
      box,
      " ",
      isOn ? pictureKey(style) : null,
      name(judgedName(section, run)),
      " ",
      badges(board.runs[run]),
    );
  });
  return el("fieldset", { class: "pictured" }, el("legend", {}, t("judge_pictured", { n: MOST_PICTURED })), boxes);
}

function letterOf(style) {
  return "ABCDEF"[style];
}

/** A model's letter, mark and line. */
function pictureKey(style) {
  const box = { class: "key", viewBox: "0 0 54 14", width: 54, height: 14, "aria-hidden": "true" };
  return svg(
    "svg",
    { ...box, focusable: "false" },
    svg("text", { class: "letter", x: 1, y: 11 }, letterOf(style)),
    svg("line", { class: "line js" + style, x1: 14, x2: 54, y1: 7, y2: 7 }),
    markOf(style, 34, 7),
  );
}

/** The mark of a model, which tells it apart without colour. */
function markOf(style, x, y, r = 4.2) {
  const [n, s, w, e] = [y - r, y + r, x - r, x + r].map((end) => end.toFixed(1));
  const shapes = {
    circle: `M${w} ${y}A${r} ${r} 0 1 0 ${e} ${y}A${r} ${r} 0 1 0 ${w} ${y}Z`,
    square: `M${w} ${n}H${e}V${s}H${w}Z`,
    up: `M${x} ${n}L${e} ${s}H${w}Z`,
    diamond: `M${x} ${n}L${e} ${y}L${x} ${s}L${w} ${y}Z`,
    down: `M${x} ${s}L${e} ${n}H${w}Z`,
    cross: `M${w} ${n}L${e} ${s}M${e} ${n}L${w} ${s}`,
  };
  return svg("path", { class: `spot ${MARKS[style]} js${style}`, d: shapes[MARKS[style]] });
}

// -- the radar

/** Four round levels from one end of an axis to the other. */
function levelsOf([from, to]) {
  return [0, 1, 2, 3].map((step) => from + ((to - from) * step) / 3);
}

function radarFigure(section, chosen, spokes) {
  const axis = judgeAxis(spokes[0]);
  const [from, to] = axis;
  const centre = [RADAR.width / 2, RADAR.height / 2];
  const at = (spoke, value) => {
    const angle = (2 * Math.PI * spoke) / spokes.length - Math.PI / 2;
    const reach = (RADAR.radius * (value - from)) / (to - from);
    return [centre[0] + reach * Math.cos(angle), centre[1] + reach * Math.sin(angle)];
  };
  const marks = [
    ...levelsOf(axis)
      .slice(1)
      .map((level) => ringNode(spokes, at, level)),
    ...spokes.map((_, spoke) =>
      svg("line", { class: "axis", x1: centre[0], y1: centre[1], x2: at(spoke, to)[0], y2: at(spoke, to)[1] }),
    ),
    ...spokes.map((one, spoke) => spokeText(one, at(spoke, to + (to - from) * 0.09), centre)),
    ...chosen.flatMap((run, style) => polygonNodes(section, spokes, run, style, chosen, at)),
    ...levelsOf(axis)
      .slice(1)
      .map((level) => levelText(at(0, level), level)),
  ];
  const label = t("judge_radar_label", {
    n: chosen.length,
    names: chosen.map((run, style) => `${letterOf(style)} ${judgedName(section, run)}`),
  });
  const box = {
    class: "radar",
    role: "img",
    "aria-label": label,
    viewBox: `0 0 ${RADAR.width} ${RADAR.height}`,
    width: RADAR.width,
    height: RADAR.height,
  };
  return el(
    "figure",
    { class: "judged" },
    el("figcaption", {}, t("judge_radar_caption", { from: count(from), to: count(to) })),
    svg("svg", box, marks),
    el("p", { class: "quiet" }, t("judge_radar_warning")),
  );
}

function ringNode(spokes, at, level) {
  const points = spokes.map((_, spoke) =>
    at(spoke, level)
      .map((one) => one.toFixed(1))
      .join(","),
  );
  return svg("polygon", { class: "axis", points: points.join(" ") });
}

function levelText([x, y], level) {
  return svg("text", { class: "level", x: (x + 3).toFixed(1), y: (y + 10).toFixed(1) }, count(level));
}

/** The name of a spoke outside of its end; of two words each on a line. */
function spokeText(one, [x, y], centre) {
  const side = Math.abs(x - centre[0]) < 5 ? "middle" : x < centre[0] ? "end" : "start";
  const words = judgeMetricWord(one).split(" ");
  const lines =
    words.length > 1 && words.join(" ").length > 12 ? [words[0], words.slice(1).join(" ")] : [words.join(" ")];
  const top = y + 4 - (lines.length - 1) * (y < centre[1] ? 14 : 0);
  return svg(
    "text",
    { class: "spoke", "text-anchor": side },
    lines.map((line, at) => svg("tspan", { x: x.toFixed(1), y: (top + 14 * at).toFixed(1) }, line)),
  );
}

/** One model's line, mark and letter. Where it has no value the line has a gap. */
function polygonNodes(section, spokes, run, style, chosen, at) {
  const valueOf = (one, who) => one.cells.get(who)?.value ?? null;
  const values = spokes.map((one) => valueOf(one, run));
  const points = values.map((value, spoke) => (value === null ? null : at(spoke, value)));
  const known = points.filter(Boolean);
  if (!known.length) return [];
  const isWhole = known.length === points.length;
  const text = (point) => point.map((end) => end.toFixed(1)).join(" ");
  const steps = points.map((point, spoke) => (point ? (spoke && points[spoke - 1] ? "L" : "M") + text(point) : ""));
  const closing = isWhole ? "Z" : points[0] && points.at(-1) ? `M${text(points.at(-1))}L${text(points[0])}` : "";
  const apart = values.map((value, spoke) =>
    value === null
      ? -1
      : Math.min(
          9e9,
          ...chosen.filter((who) => who !== run).map((who) => Math.abs(value - (valueOf(spokes[spoke], who) ?? 9e9))),
        ),
  );
  const spoke = apart.indexOf(Math.max(...apart));
  const [x, y] = points[spoke];
  return [
    svg(
      "path",
      { class: "line outline js" + style, d: steps.join("") + closing },
      svg("title", {}, `${letterOf(style)} ${plain(judgedName(section, run))}`),
    ),
    ...known.map(([left, top]) => markOf(style, Number(left.toFixed(1)), Number(top.toFixed(1)))),
    svg("text", { class: "letter", x: (x + 6).toFixed(1), y: (y - 5).toFixed(1) }, letterOf(style)),
  ];
}

// -- the dots

function dotsTable(section, chosen, rows) {
  const axis = judgeAxis(rows[0]);
  const x = (value) => STRIP.from + ((STRIP.to - STRIP.from) * (value - axis[0])) / (axis[1] - axis[0]);
  const lines = rows.map((one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, judgeMetricWord(one)),
      el("td", {}, dotStrip(section, one, chosen, axis, x)),
      el("td", { class: "n" }, dotCounts(one, chosen)),
    ),
  );
  const heads = [
    el("th", { scope: "col", class: "model" }, t("judge_part")),
    el("th", { scope: "col" }, unseen(t("judge_dots_head")), dotScale(axis, x)),
    el("th", { scope: "col" }, t("judge_cases")),
  ];
  const id = "judged-dots-" + section.at;
  return framed(id, "dots", said(t("judge_dots_caption"), judgeWhere(section)), heads, el("tbody", {}, lines));
}

function dotScale(axis, x) {
  const texts = levelsOf(axis).map((level) => svg("text", { x: x(level).toFixed(1), y: 10 }, count(level)));
  return svg(
    "svg",
    { class: "strip scale", viewBox: `0 0 ${STRIP.width} 12`, width: STRIP.width, height: 12, "aria-hidden": "true" },
    texts,
  );
}

/** One part of the benchmark: a line a model, its interval with its mark at the value. */
function dotStrip(section, one, chosen, axis, x) {
  const { scale } = one.column;
  const height = chosen.length * STRIP.row + 4;
  const grid = levelsOf(axis).map((level) =>
    svg("line", { class: "axis", x1: x(level).toFixed(1), x2: x(level).toFixed(1), y1: 0, y2: height }),
  );
  const marks = chosen.map((run, style) => {
    const cell = one.cells.get(run);
    const y = style * STRIP.row + STRIP.row / 2 + 2;
    const letter = svg("text", { class: "letter", x: 2, y: y + 4 }, letterOf(style));
    if (!cell || cell.value === null) return [letter];
    const ends = cell.low === null ? null : [cell.low, cell.high].map((end) => x(end * scale).toFixed(1));
    return [
      letter,
      ends ? svg("line", { class: "line js" + style, x1: ends[0], x2: ends[1], y1: y, y2: y }) : null,
      ends
        ? svg("path", { class: "ends js" + style, d: `M${ends[0]} ${y - 4}V${y + 4}M${ends[1]} ${y - 4}V${y + 4}` })
        : null,
      markOf(style, Number(x(cell.value * scale).toFixed(1)), y),
    ];
  });
  const label = chosen.map((run) =>
    t("judge_dot", { model: judgedName(section, run), value: cellText(one.cells.get(run), scale) || t("not_run") }),
  );
  const box = {
    class: "strip",
    role: "img",
    "aria-label": joined(label, "join_clauses"),
    viewBox: `0 0 ${STRIP.width} ${height}`,
    width: STRIP.width,
    height,
  };
  return svg("svg", box, grid, marks.flat().filter(Boolean));
}

/** Over how many cases the dots are: once where all have as many. */
function dotCounts(one, chosen) {
  const texts = chosen
    .map((run) => one.cells.get(run))
    .map((cell) => (cell ? nText(cell.n, cell.clusters) : t("not_run")));
  return new Set(texts).size === 1
    ? texts[0]
    : texts.map((text, style) => el("span", { class: "detail" }, letterOf(style) + ": " + text));
}
