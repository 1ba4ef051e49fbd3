// What does not count and why: invalid and superseded stages, unsupported ones, probes without an answer.
// SPDX-License-Identifier: Apache-2.0

const PAGE_OF_RECORDS = 100;

function leftOut() {
  return page.rows
    .map((row) => ({row, point: page.points[row.point]}))
    .filter(({row}) => row.state === 1 || row.state === 2);
}

function recordCells({row, point}) {
  return [
    row.state === 1 ? '✗ invalid' : '↻ superseded',
    h('span', {}, nameNodes(nameOf(point)), point.control ? ' (control)' : ''),
    `${point.payload} ${point.grade}`,
    String(row.repetition),
    String(row.attempt),
    stageLabel(`${point.chain}|${point.stage}`),
    [row.code ? h('code', {}, row.code, ' ') : '', textAt(row.reason) || 'no reason was recorded'],
  ];
}

const recordColumns = [
  {title: 'State'},
  {title: 'System'},
  {title: 'Data'},
  {title: 'Rep.', number: true},
  {title: 'Attempt', number: true},
  {title: 'Stage'},
  {title: 'Reason', wrap: true},
];

function recordMatches({row, point}, words, state) {
  if (state !== '' && row.state !== Number(state)) return false;
  const told = [
    nameOf(point),
    point.payload,
    point.grade,
    point.chain,
    point.stage,
    row.code,
    textAt(row.reason),
  ];
  const text = told.join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function recordsTable() {
  const all = leftOut();
  const body = h('div', {class: 'records'});
  const count = h('p', {class: 'note', role: 'status'});
  const words = h('input', {type: 'search', placeholder: 'system, stage, reason …', oninput: () => show()});
  const states = [1, 2].map((number) => h('option', {value: number}, STATES[number]));
  const state = h('select', {onchange: () => show()}, h('option', {value: ''}, 'all'), states);
  function show(limit = PAGE_OF_RECORDS) {
    const found = all.filter((record) => recordMatches(record, words.value, state.value));
    const rows = found.slice(0, limit).map(recordCells);
    const more = () => show(limit + 10 * PAGE_OF_RECORDS);
    body.replaceChildren(
      rows.length === 0
        ? empty('No record matches.')
        : table(recordColumns, rows, 'Invalid and superseded stages'),
    );
    if (found.length > limit)
      body.append(
        h('p', {class: 'more'}, h('button', {type: 'button', class: 'button', onclick: more}, 'Show more')),
      );
    count.textContent = `${formatCount(rows.length)} of ${formatCount(all.length)} shown.`;
  }
  show();
  return [
    h('div', {class: 'choices'}, h('label', {}, 'Find', words), h('label', {}, 'State', state)),
    body,
    count,
  ];
}

// Rows counted by what they share, most frequent first.
function counted(rows, describe) {
  const counts = new Map();
  for (const row of rows) {
    const cells = describe(row);
    const key = cells.join('\n');
    if (!counts.has(key)) counts.set(key, {cells, count: 0});
    counts.get(key).count += 1;
  }
  return [...counts.values()]
    .sort((a, b) => b.count - a.count)
    .map(({cells, count}) => [...cells, formatCount(count)]);
}

function unsupportedTable() {
  const rows = counted(
    page.rows.filter((row) => row.state === 3),
    (row) => {
      const point = page.points[row.point];
      return [nameOf(point), point.stage, textAt(row.reason)];
    },
  );
  if (rows.length === 0) return null;
  return [
    h('h3', {}, 'Not supported'),
    h(
      'p',
      {class: 'lead'},
      'Stages that a variant does not declare. They have no figures and touch no result.',
    ),
    table(
      [{title: 'System'}, {title: 'Stage'}, {title: 'Reason', wrap: true}, {title: 'Records', number: true}],
      rows,
      'Unsupported stages',
    ),
  ];
}

// By figure and reason, since one missing probe is missing nearly everywhere.
function missingTable() {
  const groups = new Map();
  for (const row of page.rows) {
    if (row.state === 2) continue;
    for (const [probe, reason] of row.missing ?? []) {
      const key = `${page.probes[probe]}\n${textAt(reason).replace(/-?\d+/g, '#')}`;
      if (!groups.has(key)) groups.set(key, {probe, reason, count: 0, systems: new Set(), stages: new Set()});
      const group = groups.get(key);
      group.count += 1;
      group.systems.add(nameOf(page.points[row.point]));
      group.stages.add(page.points[row.point].stage);
    }
  }
  if (groups.size === 0) return null;
  const all = (set, total) => (set.size > 3 && set.size === total ? 'all' : [...set].join(', '));
  const systems = unique(page.points.map(nameOf)).length;
  const stages = unique(page.points.map((point) => point.stage)).length;
  const rows = [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, 300)
    .map((group) => [
      page.probes[group.probe],
      textAt(group.reason),
      all(group.systems, systems),
      all(group.stages, stages),
      formatCount(group.count),
    ]);
  return [
    h('h3', {}, 'Missing figures'),
    h(
      'p',
      {class: 'lead'},
      'Probes that gave no number, or one that may not be believed. Nothing stands in for them.',
    ),
    table(
      [
        {title: 'Figure'},
        {title: 'Reason (of the first)', wrap: true},
        {title: 'Systems', wrap: true},
        {title: 'Stages', wrap: true},
        {title: 'Records', number: true},
      ],
      rows,
      'Missing figures',
    ),
  ];
}

function drawRecords() {
  section(
    'left-out',
    'Left out',
    'Stages that failed, or that a later attempt replaced. They are kept and shown; none of their ' +
      'numbers enters a result.',
    [],
    [],
    () => {
      const any = leftOut().length > 0;
      return [
        any ? recordsTable() : empty('Nothing was left out: no stage is invalid or superseded.'),
        unsupportedTable(),
        missingTable(),
      ];
    },
  );
}
