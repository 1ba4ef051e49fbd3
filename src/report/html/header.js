// The head of the page: what was asked, how the run went, and one answer a system.
// SPDX-License-Identifier: Apache-2.0

function headFacts() {
  const facts = [
    ['Run', page.run.id],
    ['Started', page.run.started.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['Seed', page.run.seed],
    ['Made by', page.run.tool],
  ];
  const units = [...new Set(planPoints.map((point) => point.unit))];
  if (units.some((unit) => unit !== 'object')) facts.push(['Duplicate unit', units.join(', ')]);
  return h(
    'dl',
    {class: 'facts'},
    facts
      .filter(([, value]) => value !== '')
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function tiles() {
  const {valid, invalid, superseded, unsupported} = page.counts;
  const tile = (value, label, zero) =>
    h('div', {class: zero ? 'tile zero' : 'tile'}, h('b', {}, value), h('span', {}, label));
  return h(
    'div',
    {class: 'tiles'},
    tile(`${formatCount(page.run.finished)} / ${formatCount(page.run.planned)}`, 'cells finished'),
    [
      [valid, 'valid stages'],
      [invalid, 'invalid'],
      [superseded, 'superseded'],
      [unsupported, 'unsupported'],
    ].map(([count, label]) => tile(formatCount(count), label, count === 0)),
  );
}

function banners() {
  const list = [];
  const banner = (title, text) => list.push(h('p', {class: 'banner'}, h('b', {}, title), ` ${text}`));
  const left = page.run.planned - page.run.finished;
  if (left > 0)
    banner(
      'Unfinished.',
      `${formatCount(left)} of ${formatCount(page.run.planned)} cells have no result yet; what stands ` +
        'here may change.',
    );
  const failed = page.controls.filter((control) => !control.passed);
  if (failed.length > 0)
    banner(
      'Controls failed',
      `for ${failed.map(({payload}) => payload).join(', ')}: verdicts there are withheld (see Controls).`,
    );
  if (page.counts.invalid > 0)
    banner(
      'Invalid stages.',
      `${formatCount(page.counts.invalid)} failed; none of their numbers enters a result (see Left out).`,
    );
  for (const note of page.run.notes) banner('Note.', note);
  return list;
}

// A strip from 0 (paid in full) to 1 (free) with each estimate and its interval.
function etaStrip(answer) {
  const x = (eta) => `${(((Math.min(1.12, Math.max(-0.12, eta)) + 0.12) / 1.24) * 98 + 1).toFixed(2)}%`;
  const line = (from, to, y, attributes) =>
    svg('line', {x1: x(from), x2: x(to), y1: y, y2: y, ...attributes});
  const tick = (eta, text) => [
    svg('line', {x1: x(eta), x2: x(eta), y1: 3, y2: 15, stroke: 'var(--line-strong)'}),
    svg('text', {x: x(eta), y: 29, 'text-anchor': 'middle'}, text),
  ];
  const marks = answer.etas.map(([eta, low, high]) => [
    low === null
      ? null
      : line(low, high, 9, {stroke: 'currentColor', 'stroke-width': 2.5, 'stroke-opacity': 0.55}),
    svg('circle', {
      cx: x(eta),
      cy: 9,
      r: 4,
      fill: 'currentColor',
      stroke: 'var(--raised)',
      'stroke-width': 1.2,
    }),
  ]);
  return svg(
    'svg',
    {class: `strip v-${answer.word}`, 'aria-hidden': 'true'},
    line(-0.12, 1.12, 9, {stroke: 'var(--line)', 'stroke-width': 6, 'stroke-linecap': 'round'}),
    tick(0, 'paid 0'),
    tick(1, '1 free'),
    marks,
  );
}

function answerCard(answer) {
  return h(
    'li',
    {class: 'answer'},
    glyph(answer.word),
    h('p', {class: 'claim'}, h('b', {}, answer.name), ` ${answer.claim}`),
    h('p', {class: 'where'}, answer.where),
    h('p', {class: 'figures'}, answer.figures),
    answer.etas.length > 0 ? etaStrip(answer) : null,
  );
}

function verdictKey(words) {
  return h(
    'ul',
    {class: 'key'},
    words.map((word) => h('li', {}, glyph(word), `${WORDS[word]}: ${WORD_MEANINGS[word]}`)),
  );
}

function drawHead() {
  const head = document.getElementById('head');
  head.append(headFacts(), ...banners());
  if (page.rows.length === 0)
    head.append(empty('This run holds no record yet, so there is nothing to answer.'));
  else if (page.answers.length === 0)
    head.append(empty('No system ran bulk_insert at a grade above U0, so there is no headline answer.'));
  else head.append(h('ul', {class: 'answers', 'aria-label': 'Answers'}, page.answers.map(answerCard)));
  head.append(tiles());
}
