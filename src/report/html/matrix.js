// The matrix of verdicts: a row a system and variant, a column a payload and grade.
// SPDX-License-Identifier: Apache-2.0

// Stages that leave something in the system can have a verdict; bulk_insert is the headline and comes first.
function verdictStages() {
  const keys = unique(
    planPoints.filter((point) => point.verdicts || point.edr).map((point) => `${point.chain}|${point.stage}`),
  );
  const list = keys.length > 0 ? keys : stageKeys;
  return [
    ...list.filter((key) => key.endsWith('|bulk_insert')),
    ...list.filter((key) => !key.endsWith('|bulk_insert')),
  ];
}

const stageChoice = () =>
  select(
    'stage',
    'Stage',
    verdictStages().map((key) => ({value: key, label: stageLabel(key)})),
  );

function knownProbes() {
  const known = unique(
    planPoints.flatMap((point) => [...Object.keys(point.edr ?? {}), ...Object.keys(point.verdicts ?? {})]),
  );
  const rung = (probe) => RUNGS.indexOf(probe.split(':')[0] === 'volume' ? probe : probe.split(':')[0]);
  const ordered = known.sort((a, b) => rung(a) - rung(b) || a.localeCompare(b));
  return ordered.includes('files') ? ['files', ...ordered.filter((probe) => probe !== 'files')] : ordered;
}

const probeChoice = () => select('probe', 'Probe', plainOptions(knownProbes()));

function verdictTip(point, probe, name) {
  const verdict = point?.verdicts?.[probe];
  const edr = point?.edr?.[probe];
  const list = [];
  if (verdict) list.push(['verdict', `${WORDS[verdict.word]} (n = ${verdict.n})`]);
  if (verdict && verdict.eta !== null)
    list.push(['eta', `${formatEta(verdict.eta)} ${formatInterval(verdict.low, verdict.high)}`]);
  if (verdict?.of !== undefined)
    list.push(['removed', `${formatCount(verdict.removed)} of ${formatCount(verdict.of)} objects`]);
  if (edr) {
    const interval =
      edr[4] === null
        ? formatInterval(edr[1], edr[2], formatSignificant)
        : `(no interval: ${textAt(edr[4])})`;
    list.push(['EDR', `${formatSignificant(edr[0])} ${interval} (n = ${edr[3]})`]);
  }
  if (point?.edr_max) list.push(['EDR_max', formatSignificant(point.edr_max)]);
  const reason = verdict ? textAt(verdict.reason) : edr ? '' : `Not measured: ${whyMissing(point, probe)}`;
  return [tipTitle(name), pairs(list), reason === '' ? null : h('p', {}, reason)].filter(
    (node) => node !== null,
  );
}

function edrLine(point, probe) {
  const edr = point?.edr?.[probe];
  if (!edr) return null;
  const bound = point.edr_max ? ` of ${formatSignificant(point.edr_max)}` : '';
  return h('span', {class: 'edr'}, `EDR ${formatSignificant(edr[0])}${bound}`);
}

function verdictCell(name, payload, grade, first) {
  const point = findPoint(name, payload, grade, view.stage, view.condition);
  const verdict = point?.verdicts?.[view.probe];
  const edr = edrLine(point, view.probe);
  const classes = [first ? 'first' : '', verdict ? `w-${verdict.word}` : '', grade === 'U0' ? 'base' : ''];
  const content = [];
  if (verdict) {
    content.push(h('span', {class: `word v-${verdict.word}`}, glyph(verdict.word), WORDS[verdict.word]));
    if (verdict.eta !== null) content.push(h('span', {class: 'eta'}, `η ${formatEta(verdict.eta)}`));
    else if (verdict.of !== undefined)
      content.push(
        h('span', {class: 'eta'}, `${formatCount(verdict.removed)} of ${formatCount(verdict.of)}`),
      );
  } else if (!edr) {
    content.push(h('span', {class: 'missing'}, point ? 'not measured' : whyMissing(point)));
  }
  const cell = h('td', {class: classes.join(' ').trim() || null, tabindex: -1}, content, edr);
  return withTip(cell, () => verdictTip(point, view.probe, `${name}, ${payload}, ${grade}`));
}

// One tab stop for the whole grid; arrows go from cell to cell.
function arrowKeys(body) {
  const cells = () => [...body.rows].map((row) => [...row.cells].filter((cell) => cell.tagName === 'TD'));
  const first = cells()[0]?.[0];
  if (first) first.tabIndex = 0;
  body.addEventListener('keydown', (event) => {
    const step = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[event.key];
    const from = event.target.closest('td');
    if (!step || !from) return;
    const row = from.parentElement.sectionRowIndex + step[0];
    const column = from.cellIndex - 1 + step[1];
    const to = cells()[row]?.[column];
    if (!to) return;
    event.preventDefault();
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
}

function matrixTable() {
  const shown = payloads.filter((payload) => planPoints.some((point) => point.payload === payload));
  const head = [
    h(
      'tr',
      {},
      h('th', {rowspan: 2, scope: 'col'}, 'System'),
      shown.map((payload) =>
        h('th', {colspan: grades.length, scope: 'colgroup', class: 'payload', title: payload}, payload),
      ),
    ),
    h(
      'tr',
      {},
      shown.map(() =>
        grades.map((grade, i) => h('th', {scope: 'col', class: i === 0 ? 'payload' : null}, grade)),
      ),
    ),
  ];
  const body = h(
    'tbody',
    {},
    names.map((name) =>
      h(
        'tr',
        {},
        h('th', {scope: 'row'}, nameNodes(name)),
        shown.map((payload) => grades.map((grade, i) => verdictCell(name, payload, grade, i === 0))),
      ),
    ),
  );
  arrowKeys(body);
  return h('div', {class: 'scroll'}, h('table', {class: 'matrix'}, h('thead', {}, head), body));
}

function drawMatrix() {
  const words = unique(
    planPoints.flatMap((point) => Object.values(point.verdicts ?? {}).map((verdict) => verdict.word)),
  );
  const order = Object.keys(WORDS).filter((word) => words.includes(word));
  section(
    'matrix',
    'Verdicts',
    'Each cell compares a grade with U0 of the same data. η is the share of the duplicate bytes that ' +
      'was removed; EDR is how many logical bytes one stored byte holds, beside the most that the data ' +
      'allow.',
    [stageChoice(), probeChoice(), conditionChoice()],
    ['stage', 'probe', 'condition'],
    () =>
      names.length === 0 ? empty('No matrix point has a record yet.') : [matrixTable(), verdictKey(order)],
  );
}
