// What stands behind the figures: controls, servers, environment, the plan, and how to read the page.
// SPDX-License-Identifier: Apache-2.0

function drawControls() {
  section(
    'controls',
    'Controls',
    'Plain files must show η = 0 and a content-addressed store η = 1 in this very run; a payload whose ' +
      'control fails has its verdicts withheld.',
    [],
    [],
    () => {
      if (page.controls.length === 0) return [empty('No control has an outcome yet.'), weakSpots()];
      const range = {files: `files, within ±${NONE_WITHIN}`, cas: `cas, at least ${FULL_ABOVE}`};
      return [
        table(
          [
            {title: 'Payload'},
            {title: 'Grade'},
            {title: 'Probe'},
            {title: range.files, number: true},
            {title: range.cas, number: true},
            {title: 'Outcome'},
            {title: 'Reason', wrap: true},
          ],
          page.controls.map((control) => [
            control.payload,
            control.grade,
            control.probe,
            control.files === null ? null : `η ${formatEta(control.files)}`,
            control.cas === null ? null : `η ${formatEta(control.cas)}`,
            h('b', {class: control.passed ? 'v-full' : 'v-none'}, control.passed ? '✓ passed' : '✗ failed'),
            control.reason,
          ]),
          'Controls',
        ),
        weakSpots(),
      ];
    },
  );
}

// What the analysis warns of: too few bytes for the step in which files grow, for one.
function weakSpots() {
  const list = page.run.warnings;
  if (list.length === 0) return null;
  const items = h(
    'ul',
    {},
    list.map((text) => h('li', {}, text)),
  );
  return [
    h('h3', {}, 'What weakens an answer'),
    list.length <= 6
      ? items
      : h('details', {}, h('summary', {}, `${formatCount(list.length)} warnings`), items),
  ];
}

function mapTable(map) {
  const entries = Object.entries(map);
  return entries.length === 0
    ? null
    : pairs(entries.map(([key, value]) => [key, value === '' ? '(empty)' : String(value)]));
}

// Durability and the bulk path say what an acknowledgement means, so they stand before all other settings.
function serverCard(server) {
  const name = server.variant === 'default' ? server.system : `${server.system}/${server.variant}`;
  const told = {...server.observed, ...server.settings};
  const first = [
    ['Server', `${server.name} ${server.version}`.trim() || 'not identified'],
    ['Identity', server.identity || 'not known'],
  ];
  for (const key of ['durability', 'bulk_path'])
    if (told[key]) first.push([key === 'durability' ? 'Durability' : 'Bulk path', told[key]]);
  if (server.cache_action) first.push(['Cache', server.cache_action]);
  // What is documented beside what was measured.
  const documented = page.environment.mechanisms?.[server.system] ?? [];
  for (const {level, support, source} of documented)
    first.push([`Documented: ${level}`, `${support} (${source})`]);
  for (const answer of page.answers.filter((answer) => answer.name === name))
    first.push(['Measured', `${answer.claim}: ${answer.where}, ${answer.figures}`]);
  const fold = (title, map) =>
    Object.keys(map ?? {}).length === 0
      ? null
      : h('details', {}, h('summary', {}, `${title} (${Object.keys(map).length})`), mapTable(map));
  return h(
    'div',
    {class: 'card'},
    h('h3', {style: 'margin-top: 0'}, nameNodes(name)),
    pairs(first),
    fold('Settings that differ from the defaults', server.settings),
    fold('Snapshot after the first stage', server.observed),
  );
}

function drawServers() {
  section(
    'servers',
    'Systems',
    'Who answered, what an acknowledgement meant, what its makers document about duplicates beside what was ' +
      'measured, and every setting that differed from the defaults.',
    [],
    [],
    () =>
      page.servers.length === 0
        ? empty('No system was reached.')
        : h('div', {class: 'cards'}, page.servers.map(serverCard)),
  );
}

// Nested values as paths: "cpu.model".
function flatten(value, path = '') {
  if (value === null) return [[path, 'not known']];
  if (typeof value === 'number' && path.endsWith('bytes'))
    return [[path, `${formatCount(value)} (${formatBytes(value)})`]];
  if (typeof value !== 'object') return [[path, String(value)]];
  const entries = Object.entries(value);
  if (entries.length === 0) return path === '' ? [] : [[path, 'none']];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return [[path, value.join(', ')]];
  return entries.flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`));
}

function drawEnvironment() {
  section(
    'environment',
    'Environment',
    'The machine and the program that made these figures.',
    [],
    [],
    () => {
      const {mechanisms: _shownWithTheSystems, ...machine} = page.environment;
      const entries = flatten(machine);
      const formats = [
        ['Journal format', String(page.run.journal_format)],
        ['Page format', String(page.format)],
        ['Plan SHA-256', page.run.plan_hash || 'not known'],
        ['Directories', page.run.directories.join(', ') || 'none'],
      ];
      return [
        entries.length === 0 ? empty('The run recorded no environment.') : pairs(entries),
        h('h3', {}, 'This report'),
        pairs([
          ['Run', page.run.id],
          ['Made by', page.run.tool || 'not known'],
          ['Seed', page.run.seed],
          ...formats,
        ]),
      ];
    },
  );
}

function drawPlan() {
  section(
    'plan',
    'Plan',
    'The effective plan: with it and the seed the run can be repeated, byte for byte.',
    [],
    [],
    () =>
      page.run.plan === '' ? empty('The run has no plan text.') : h('pre', {tabindex: 0}, page.run.plan),
  );
}

const READING = [
  [
    'L, U, d',
    'Logical bytes that the system should hold; bytes of the distinct objects among them; d = 1 − U/L, ' +
      'the share of the bytes that could be removed.',
  ],
  [
    'Grade U90',
    '90 % of the objects are byte-identical copies of objects among the other 10 %. U0 has no copies ' +
      'and is what every grade is compared with.',
  ],
  [
    'B, stored bytes',
    'What a probe read after the stage, settled, less what it read on the empty system of the same chain.',
  ],
  [
    'Rungs',
    'engine: the system’s own figure. apparent: length of its files. files: allocated blocks of all ' +
      'files in its directory, with log, index and metadata. Below them file system and volume.',
  ],
  [
    'EDR and EDR_max',
    'Logical bytes held by one stored byte and copy, L / (B / n); EDR_max = L / U is the most that ' +
      'removing duplicates alone can reach. Compression raises EDR, too.',
  ],
  [
    'η (eta)',
    'The share of the removable bytes that was removed, found by comparing a grade with U0 of the same ' +
      'data. Compression cancels out. 1 − η is what a duplicate byte costs.',
  ],
  [
    'Verdict',
    `None: the whole 95 % interval of η lies within ±${NONE_WITHIN}. Full: it lies above ${FULL_ABOVE}. ` +
      'Partial: between both. Anything else is inconclusive. Fewer than 5 complete valid pairs get no ' +
      'verdict.',
  ],
  [
    'Semantic',
    'The system declares that it keeps one object per key and did exactly that: objects are gone, so ' +
      'there is no η.',
  ],
  ['Below resolution', 'The figure is under three times the drift of an idle system, so it is not a number.'],
  ['n', 'Complete valid pairs of U0 and the grade, each with its own seed.'],
];

function drawReading() {
  section('reading', 'How to read this', null, [], [], () => [
    h(
      'dl',
      {class: 'reading'},
      READING.map(([term, meaning]) => h('div', {}, h('dt', {}, term), h('dd', {}, meaning))),
    ),
    h(
      'p',
      {class: 'note'},
      'A figure that could not be measured is absent and says why. Nothing is estimated, and nothing is ' +
        'drawn as zero in its place.',
    ),
  ]);
}
