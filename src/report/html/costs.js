// What a copy costs, and the time that client and server each saw.
// SPDX-License-Identifier: Apache-2.0

const COST_COLUMNS = [
  {quantity: 'stored_bytes:files', title: 'Bytes in files', format: formatBytesExact},
  {quantity: 'stored_bytes:files:log', title: 'Bytes in the log', format: formatBytesExact},
  {quantity: 'duration_seconds', title: 'Time', format: formatSeconds},
  {quantity: 'client_cpu_seconds', title: 'Client CPU', format: formatSeconds},
];

// A mean of bytes has fractions; below a kibibyte they say nothing.
function formatBytesExact(bytes) {
  return formatBytes(Math.abs(bytes) < 1024 ? Math.round(bytes) : bytes);
}

const costPoint = (name) => findPoint(name, view.payload, 'U0', view.costStage, view.condition);

// [mean, low, high] as "131 KiB [130, 132]", with what an original costs below it.
function costCell(cost, format) {
  if (!cost) return null;
  if (!cost.copy) return h('span', {class: 'missing'}, 'not measured', h('small', {}, textAt(cost.refused)));
  const [mean, low, high] = cost.copy;
  return [
    format(mean),
    h(
      'small',
      {},
      low === null ? `no interval: ${textAt(cost.no_interval)}` : formatInterval(low, high, format),
    ),
    h('small', {}, `an original: ${format(cost.original[0])}`),
  ];
}

function costRow(name) {
  const costs = costPoint(name)?.costs ?? [];
  const of = (quantity) => costs.find((cost) => cost.quantity === quantity);
  const counted = costs.filter((cost) => cost.copy).map((cost) => cost.n);
  return [
    h('span', {}, nameNodes(name)),
    ...COST_COLUMNS.map(({quantity, format}) => costCell(of(quantity), format)),
    counted.length > 0 ? String(Math.max(...counted)) : '',
  ];
}

function drawCosts() {
  const stages = unique(
    planPoints.filter((point) => point.costs).map((point) => `${point.chain}|${point.stage}`),
  );
  section(
    'costs',
    'What a copy costs',
    'One duplicate object, read off a line through the grades of each repetition where all objects are ' +
      'duplicates; with its 95 % interval over the repetitions. Below it what an object costs where none is.',
    stages.length === 0
      ? []
      : [payloadChoice(), select('costStage', 'Stage', stageOptions(stages)), conditionChoice()],
    ['payload', 'costStage', 'condition'],
    () =>
      stages.length === 0
        ? empty('A cost needs a valid cell at U0 and its twins at all higher grades.')
        : table(
            [
              {title: 'System'},
              ...COST_COLUMNS.map(({title}) => ({title, number: true})),
              {title: 'n', number: true},
            ],
            names.map(costRow),
            'Cost of a duplicate object',
          ),
  );
}

// Server time beside client time: the sum over the statement classes that a system tells.
function serverSum(row) {
  return row.server ? Object.values(row.server).reduce((sum, value) => sum + value, 0) : null;
}

function meanText(figure) {
  if (!figure) return null;
  if (figure.n < 2) return formatSeconds(figure.mean);
  return [
    formatSeconds(figure.mean),
    h('small', {}, `${formatSeconds(figure.low)} to ${formatSeconds(figure.high)}`),
  ];
}

function timeRow(name) {
  const point = findPoint(name, view.payload, view.grade, view.timeStage, view.condition);
  const rows = validRows(point);
  if (rows.length === 0) return null;
  const classes = unique(rows.flatMap((row) => Object.keys(row.server ?? {})));
  const told = classes.map((key) => {
    const figure = spread(rows.map((row) => row.server?.[key]));
    return h('div', {}, `${key}: ${formatSeconds(figure.mean)}`);
  });
  return [
    h('span', {}, nameNodes(name)),
    meanText(spread(rows.map((row) => row.seconds))),
    meanText(spread(rows.map((row) => row.cpu))),
    meanText(spread(rows.map(serverSum))) ?? h('span', {class: 'missing'}, 'not told by the system'),
    told,
    String(rows.length),
  ];
}

function drawTimes() {
  const stages = stagesWith((row) => row.seconds > 0);
  section(
    'times',
    'Client and server time',
    'What the client waited for beside what the system itself counted, by class of statement, where it ' +
      'counts. Server time of several connections adds up and may exceed the client’s.',
    stages.length === 0
      ? []
      : [
          select('timeStage', 'Stage', stageOptions(stages)),
          payloadChoice(),
          gradeChoice(),
          conditionChoice(),
        ],
    ['timeStage', 'payload', 'grade', 'condition'],
    () => {
      const rows = names.map(timeRow).filter((row) => row !== null);
      if (rows.length === 0) return empty('No valid stage for this choice.');
      return table(
        [
          {title: 'System'},
          {title: 'Client, wall', number: true},
          {title: 'Client, CPU', number: true},
          {title: 'Server, in all', number: true},
          {title: 'Server, by class', wrap: true},
          {title: 'n', number: true},
        ],
        rows,
        'Client and server time',
      );
    },
  );
}
