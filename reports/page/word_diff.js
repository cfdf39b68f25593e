// Two texts word by word: what only one of them has. Chinese and the like are cut into words as their readers would.

const DIFF_CHARACTERS = 20000;
const DIFF_CHANGES = 1500;

/** The words, signs and spaces of a text, in order; a language that is not known does no harm. */
function wordsOf(text, language) {
  let segmenter;
  try {
    segmenter = new Intl.Segmenter(language || undefined, { granularity: "word" });
  } catch {
    segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
  }
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/**
 * What makes `after` of `before`: `{parts: [{kind, text}], isCut, isCoarse}`, `kind` being "same", "del" or "ins". Of
 * each text the first `DIFF_CHARACTERS` are compared (`isCut`); where more than `DIFF_CHANGES` words differ, all between
 * the first and the last is shown as changed (`isCoarse`). So the work is bounded, whatever the texts are.
 */
function diffWords(before, after, language) {
  const cut = (text) => (text.length > DIFF_CHARACTERS ? text.slice(0, cutPlace(text, DIFF_CHARACTERS)) : text);
  const [a, b] = [wordsOf(cut(before), language), wordsOf(cut(after), language)];
  let [first, endA, endB] = [0, a.length, b.length];
  while (first < endA && first < endB && a[first] === b[first]) first += 1;
  while (endA > first && endB > first && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const [onlyA, onlyB] = [a.slice(first, endA), b.slice(first, endB)];
  const steps = shortestSteps(onlyA, onlyB);
  const same = (words) => words.map((text) => ({ kind: "same", text }));
  const changes = steps || [
    ...onlyA.map((text) => ({ kind: "del", text })),
    ...onlyB.map((text) => ({ kind: "ins", text })),
  ];
  return {
    parts: joinedParts([...same(a.slice(0, first)), ...changes, ...same(a.slice(endA))]),
    isCut: before.length > DIFF_CHARACTERS || after.length > DIFF_CHARACTERS,
    isCoarse: steps === null,
  };
}

/** The fewest words to strike out and to put in (Myers 1986); null where there are more than `DIFF_CHANGES`. */
function shortestSteps(a, b) {
  const most = Math.min(a.length + b.length, DIFF_CHANGES);
  const ends = new Int32Array(2 * most + 3);
  const rounds = [];
  for (let round = 0; round <= most; round += 1) {
    rounds.push(ends.slice(most + 1 - round - 1, most + 1 + round + 2));
    for (let line = -round; line <= round; line += 2) {
      const at = most + 1 + line;
      let x = line === -round || (line !== round && ends[at - 1] < ends[at + 1]) ? ends[at + 1] : ends[at - 1] + 1;
      while (x < a.length && x - line < b.length && a[x] === b[x - line]) x += 1;
      ends[at] = x;
      if (x >= a.length && x - line >= b.length) return stepsBack(a, b, rounds);
    }
  }
  return null;
}

/** From the end back to the beginning, along what each round had reached. */
function stepsBack(a, b, rounds) {
  const found = [];
  let [x, y] = [a.length, b.length];
  for (let round = rounds.length - 1; round >= 0; round -= 1) {
    const [line, ends] = [x - y, rounds[round]];
    const reached = (other) => ends[other + round + 1];
    const isDown = line === -round || (line !== round && reached(line - 1) < reached(line + 1));
    const fromX = round === 0 ? 0 : reached(isDown ? line + 1 : line - 1);
    const fromY = round === 0 ? 0 : fromX - (isDown ? line + 1 : line - 1);
    while (x > fromX && y > fromY) {
      found.push({ kind: "same", text: a[x - 1] });
      [x, y] = [x - 1, y - 1];
    }
    if (round === 0) break;
    found.push(isDown ? { kind: "ins", text: b[y - 1] } : { kind: "del", text: a[x - 1] });
    [x, y] = [fromX, fromY];
  }
  return found.reverse();
}

/** Neighbours of a kind as one. Spaces that stand alone between two changes belong to them: they tell nobody anything. */
function joinedParts(steps) {
  const found = [];
  let [del, ins] = ["", ""];
  const close = () => {
    if (del) found.push({ kind: "del", text: del });
    if (ins) found.push({ kind: "ins", text: ins });
    [del, ins] = ["", ""];
  };
  steps.forEach(({ kind, text }, at) => {
    if (kind === "del") del += text;
    else if (kind === "ins") ins += text;
    else if ((del || ins) && text.trim() === "" && steps[at + 1] && steps[at + 1].kind !== "same")
      [del, ins] = [del + text, ins + text];
    else {
      close();
      if (found.length && found.at(-1).kind === "same") found.at(-1).text += text;
      else found.push({ kind: "same", text });
    }
  });
  close();
  return found;
}

/** A diff as nodes: struck out what only the first text has, underlined what only the second has. */
function diffNodes(parts) {
  return parts.map(({ kind, text }) => (kind === "same" ? shown(text) : el(kind, {}, shown(text))));
}
