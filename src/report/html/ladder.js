// The ladder: bytes held at each rung for one logical byte, so that the eye finds where duplicates vanish.
// SPDX-License-Identifier: Apache-2.0

// Bytes held at a rung for one logical byte and copy, with the parts of it where they are known.
function heldAt(point, probe) {
  const edr = point?.edr?.[probe]?.[0];
  if (!edr) return null;
  const whole = 1 / edr;
  const shares = PARTS.map((part) => partShare(point, probe, part));
  const known = shares.reduce((sum, share) => sum + (share ?? 0), 0);
  const parts = shares.every((share) => share === null) ? null : shares.map((share) => (share ?? 0) * whole);
  return {whole, parts, rest: parts ? Math.max(0, 1 - known) * whole : whole};
}

// The mean share of one part in its whole over the repetitions; below zero it is noise and drawn as nothing.
function partShare(point, probe, part) {
  const shares = validRows(point).map((row) => {
    const [whole, own] = [storedBytes(row, probe), storedBytes(row, `${probe}:${part}`)];
    return whole > 0 && own !== null ? own / whole : null;
  });
  const known = spread(shares);
  return known ? Math.min(1, Math.max(0, known.mean)) : null;
}

function rungsOf(name) {
  const points = grades.map((grade) => findPoint(name, view.payload, grade, view.stage, view.condition));
  const asked = new Set(['engine', 'apparent', 'files']);
  for (const point of points)
    for (const probe of Object.keys(point?.edr ?? {})) if (RUNGS.includes(probe)) asked.add(probe);
  return {points, rungs: RUNGS.filter((rung) => asked.has(rung))};
}

// Rows of one system's chart from L downwards; a rung that no grade answered is one row that says why.
function ladderRows({points, rungs}) {
  const rows = [{rung: 'L', grade: '', held: {whole: 1, parts: null, rest: 1}, first: true}];
  for (const rung of rungs) {
    rows.push({rung: '', grade: '', gap: true});
    const measured = points.filter((point) => heldAt(point, rung));
    if (measured.length === 0) {
      const point = points.find((candidate) => candidate);
      rows.push({rung, grade: '', held: null, why: whyMissing(point, rung), first: true});
      continue;
    }
    measured.forEach((point, i) =>
      rows.push({
        rung,
        grade: point.grade,
        point,
        held: heldAt(point, rung),
        bound: point.edr_max ? 1 / point.edr_max : null,
        first: i === 0,
      }),
    );
  }
  return rows;
}

// One sentence: where duplicates vanish at the highest grade, as the analysis found it.
function ladderSentence({points}) {
  const highest = points.filter((point) => point?.ladder?.vanish).at(-1);
  if (!highest) return 'No verdict at this stage.';
  const [word, rung, reason] = highest.ladder.vanish;
  const why = textAt(reason);
  if (word === 'semantic')
    return 'Duplicates vanish before the engine counts them: one object per key is kept.';
  if (word === 'at') return `Duplicates vanish at the rung “${rung}” (${why}; ${highest.grade}).`;
  if (word === 'nowhere') return `Duplicates vanish nowhere (${why}; ${highest.grade}).`;
  return `Where duplicates vanish is not told (${why}; ${highest.grade}).`;
}

// The factors between neighbouring rungs, whose product is the EDR of the lowest one.
function factorCell(point, rung, before) {
  const step = point.ladder.steps.find(([, lower]) => lower === rung);
  if (!step) {
    const why = (point.ladder.left_out ?? []).find(([name]) => name === rung);
    return h('span', {class: 'missing', title: why ? textAt(why[1]) : null}, 'not measured');
  }
  const [above, , factor, low, high] = step;
  return [
    formatSignificant(factor),
    above === before ? null : h('small', {}, `${above}/${rung}`),
    low === null ? null : h('small', {}, formatInterval(low, high, formatSignificant)),
  ];
}

function vanishText({ladder}) {
  if (!ladder.vanish) return '';
  const [word, rung, reason] = ladder.vanish;
  const text = {at: rung, nowhere: 'nowhere', semantic: 'before the engine', not_told: 'not told'}[word];
  return [h('b', {}, text), h('small', {}, textAt(reason))];
}

// How many copies a probe counts; of a server with one copy both are the same.
function scopeText(points, rung) {
  return unique(points.map((point) => point.scope?.[rung]).filter((scope) => scope)).join(' or ');
}

function factorTable() {
  // U0 and the highest grade say it; the others lie between and stand in results.json.
  const all = names.flatMap((name) => {
    const known = rungsOf(name).points.filter((point) => point?.ladder);
    return known.length > 2 ? [known[0], known.at(-1)] : known;
  });
  if (all.length === 0) return null;
  const rungs = RUNGS.filter((rung) => all.some(({ladder}) => ladder.steps.some((step) => step[1] === rung)));
  const heading = (rung) => {
    const scope = scopeText(all, rung);
    return scope ? h('span', {}, rung, h('small', {}, scope)) : rung;
  };
  return [
    h('h3', {}, 'Factors from rung to rung'),
    h(
      'p',
      {class: 'lead'},
      'Bytes of one copy above, divided by those of the rung: 1 saves nothing. The product of a row is ' +
        'L over its lowest rung. Below each rung’s name: whether its probe counts one copy or all.',
    ),
    table(
      [
        {title: 'System'},
        {title: 'Grade'},
        ...rungs.map((rung) => ({title: heading(rung), number: true})),
        {title: 'Product', number: true},
        {title: 'Duplicates vanish', wrap: true},
      ],
      all.map((point) => [
        h('span', {}, nameNodes(nameOf(point))),
        point.grade,
        ...rungs.map((rung, i) => factorCell(point, rung, i === 0 ? 'L' : rungs[i - 1])),
        point.ladder.broken === undefined
          ? formatSignificant(point.ladder.whole)
          : h('b', {class: 'v-none'}, `✗ ${textAt(point.ladder.broken)}`),
        vanishText(point),
      ]),
      'Factors from rung to rung',
    ),
  ];
}

const ladderRowHeight = 14;
const partNames = [...PARTS, 'whole'];
const partColors = {payload: 'payload', index: 'index', log: 'log', meta: 'meta', whole: 'plain'};

function ladderSeries(rows) {
  const value = (row, part) =>
    !row.held ? null : part === 'whole' ? row.held.rest : (row.held.parts?.[PARTS.indexOf(part)] ?? null);
  const bars = partNames.map((part) => ({
    name: part,
    type: 'bar',
    stack: 'held',
    barWidth: 8,
    itemStyle: {color: color(partColors[part])},
    data: rows.map((row) => value(row, part)),
  }));
  const bounds = rows.flatMap((row, i) => (row.bound ? [[row.bound, i]] : []));
  const absent = rows.flatMap((row, i) =>
    row.held || row.gap
      ? []
      : [
          {
            value: [0, i],
            label: {
              show: true,
              position: 'right',
              distance: 0,
              formatter: 'not measured',
              color: color('soft'),
              fontStyle: 'italic',
              fontSize: 11,
            },
          },
        ],
  );
  return [
    ...bars,
    {
      name: 'least possible',
      type: 'scatter',
      symbol: 'rect',
      symbolSize: [2, 13],
      itemStyle: {color: color('ink')},
      data: bounds,
      z: 5,
      silent: true,
    },
    {
      name: 'absent',
      type: 'scatter',
      symbolSize: 0,
      data: absent,
      z: 5,
      markLine: {
        silent: true,
        symbol: 'none',
        animation: false,
        data: [{xAxis: 1}],
        lineStyle: {color: color('line-strong'), type: 'solid', width: 1},
        label: {show: false},
      },
    },
  ];
}

function ladderTip(row) {
  if (row.gap) return [];
  if (!row.held) return [tipTitle(row.rung), h('p', {}, `Not measured: ${row.why}`)];
  const list = [['held for one logical byte', formatSignificant(row.held.whole)]];
  if (row.held.parts) PARTS.forEach((part, i) => list.push([part, formatSignificant(row.held.parts[i])]));
  if (row.bound) list.push(['least possible (1 / EDR_max)', formatSignificant(row.bound)]);
  const title = row.rung === 'L' ? 'L: logical bytes' : `${row.rung}, ${row.grade}`;
  return [tipTitle(title), pairs(list)];
}

function ladderOption(rows, most) {
  const label = (index) => {
    const row = rows[Number(index)];
    return `${row.first ? `{rung|${row.rung}}` : ''}{grade|${row.grade}}`;
  };
  return {
    grid: {left: 108, right: 16, top: 4, bottom: 24},
    xAxis: valueAxis({min: 0, max: most, interval: most > 2.5 ? 1 : 0.5}),
    yAxis: rowAxis(
      rows.map((row, i) => String(i)),
      {
        axisLabel: {
          formatter: label,
          margin: 6,
          rich: {
            rung: {width: 64, align: 'left', color: color('ink'), fontSize: 11.5, fontWeight: 600},
            grade: {width: 30, align: 'right', color: color('soft'), fontSize: 10.5},
          },
        },
      },
    ),
    series: ladderSeries(rows),
    tooltip: tooltip((params) => ladderTip(rows[params[0].dataIndex]), {
      trigger: 'axis',
      axisPointer: {type: 'shadow', shadowStyle: {color: faded('soft', 0.1)}},
    }),
  };
}

function ladderCard(name, most) {
  const ladder = rungsOf(name);
  const rows = ladderRows(ladder);
  if (!rows.some((row) => row.point)) return null;
  const sentence = ladderSentence(ladder);
  return h(
    'figure',
    {class: 'figure card'},
    h('figcaption', {}, nameNodes(name), h('small', {}, sentence)),
    chart({
      label: `Ladder of ${name}: ${sentence}`,
      height: rows.length * ladderRowHeight + 30,
      option: () => ladderOption(rows, most),
    }),
  );
}

function ladderKey() {
  const item = (part, text) => h('li', {}, swatch(part), text);
  return h(
    'ul',
    {class: 'key'},
    PARTS.map((part) => item(partColors[part], part)),
    item('plain', 'not split into parts'),
    h(
      'li',
      {},
      h('span', {class: 'swatch', style: 'width: 2px; background: var(--ink)'}),
      'least possible, 1 / EDR_max',
    ),
  );
}

function swatch(name) {
  return h('span', {class: 'swatch', style: `background: var(--${name})`});
}

function ladderNumbers() {
  const rows = names.flatMap((name) =>
    ladderRows(rungsOf(name))
      .filter((row) => row.rung !== 'L' && !row.gap)
      .map((row) => [
        name,
        row.rung,
        row.grade,
        row.held ? formatSignificant(row.held.whole) : null,
        ...PARTS.map((part, i) => (row.held?.parts ? formatSignificant(row.held.parts[i]) : '')),
        row.bound ? formatSignificant(row.bound) : '',
        row.why ?? '',
      ]),
  );
  return numbers(
    [
      {title: 'System'},
      {title: 'Rung'},
      {title: 'Grade'},
      {title: 'held / L', number: true},
      ...PARTS.map((part) => ({title: part, number: true})),
      {title: 'least', number: true},
      {title: 'Why not', wrap: true},
    ],
    rows,
  );
}

function drawLadder() {
  section(
    'ladder',
    'Where duplicates vanish',
    'Bytes held at each rung for one logical byte (L = 1), from what the engine says down to the blocks ' +
      'on disk. A bar that reaches the line at 1 pays for everything; one that reaches its tick holds ' +
      'each content once.',
    [payloadChoice(), stageChoice(), conditionChoice()],
    ['payload', 'stage', 'condition'],
    () => {
      const held = names.flatMap((name) => ladderRows(rungsOf(name)).map((row) => row.held?.whole ?? 0));
      const most = Math.min(6, Math.max(1.2, Math.ceil(Math.max(0, ...held) * 5) / 5));
      const cards = names.map((name) => ladderCard(name, most)).filter((card) => card !== null);
      if (cards.length === 0)
        return empty(`No size was measured for ${view.payload ?? 'any payload'} at this stage.`);
      return [h('div', {class: 'cards'}, cards), ladderKey(), ladderNumbers(), factorTable()];
    },
  );
}
