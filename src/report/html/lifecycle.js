// Delete and refill: what is on disk after each stage of a chain, how much came free, and is it used again.
// SPDX-License-Identifier: Apache-2.0

const DELETES = ['perfile_delete', 'delete_logical', 'delete_truncate', 'delete_drop'];
const lifeChains = unique(planPoints.map((point) => point.chain)).filter((chain) =>
  chain.split('>').some((stage) => DELETES.includes(stage) || stage === 'refill'),
);

function lifeStages(name, chain) {
  return chain.split('>').map((stage) => {
    const point = findPoint(name, view.payload, view.grade, `${chain}|${stage}`, view.condition);
    const rows = validRows(point);
    return {
      stage,
      point,
      rows,
      stored: spread(rows.map((row) => storedBytes(row, 'files'))),
      logical: spread(rows.map((row) => row.L)),
      freed: spread(rows.map((row) => row.freed)),
      reuse: spread(rows.map((row) => row.reuse)),
      to95: spread(rows.map((row) => row.to_95)),
      peak: spread(rows.map((row) => row.peak)),
      did: unique(rows.map((row) => textAt(row.maintenance)).filter((text) => text !== '')),
    };
  });
}

const shareText = (figure) =>
  figure.n > 1 && formatShare(figure.low) !== formatShare(figure.high)
    ? `${formatShare(figure.mean)} (${formatShare(figure.low)} to ${formatShare(figure.high)})`
    : formatShare(figure.mean);

// What the stage did to the space, in words below its bar.
function lifeEffects(entry) {
  const lines = [];
  if (entry.freed) lines.push(`freed ${shareText(entry.freed)}`);
  if (entry.reuse) lines.push(`reused ${shareText(entry.reuse)}`);
  if (entry.did.length > 0) lines.push(entry.did.join('; '));
  if (entry.to95) lines.push(`95 % free after ${formatSeconds(entry.to95.mean)}`);
  if (entry.stage === 'maintenance' && entry.peak)
    lines.push(`peak ${formatBytes(Math.round(entry.peak.high))}`);
  return lines.map((line) => h('small', {}, line));
}

function lifeCell(entry, most, logical) {
  if (!entry.stored) {
    const why = whyMissing(entry.point, 'files');
    return h(
      'td',
      {},
      h('span', {class: 'missing'}, why === 'below resolution' ? 'below resolution' : `not measured: ${why}`),
      lifeEffects(entry),
    );
  }
  const share = (Math.max(0, entry.stored.mean) / most) * 100;
  const bar = h(
    'div',
    {class: 'bar'},
    h('i', {style: `width: ${share.toFixed(2)}%`}),
    logical ? h('s', {style: `left: ${((logical / most) * 100).toFixed(2)}%`}) : null,
  );
  return withTip(
    h('td', {tabindex: 0}, h('b', {}, formatBytes(Math.round(entry.stored.mean))), bar, lifeEffects(entry)),
    () => [
      tipTitle(entry.stage),
      pairs([
        ['files, mean', formatBytes(Math.round(entry.stored.mean))],
        ['lowest to highest', `${formatBytes(entry.stored.low)} to ${formatBytes(entry.stored.high)}`],
        ['valid repetitions', String(entry.stored.n)],
        ['logical bytes left', entry.logical ? formatBytes(Math.round(entry.logical.mean)) : 'not known'],
      ]),
    ],
  );
}

function lifeTable(chain) {
  const systems = names
    .map((name) => ({name, stages: lifeStages(name, chain)}))
    .filter(({stages}) => stages.some(({point}) => point));
  const held = systems.flatMap(({stages}) =>
    stages.flatMap((entry) => [entry.stored?.mean ?? 0, entry.logical?.mean ?? 0]),
  );
  const most = Math.max(1, ...held) * 1.02;
  const stages = chain.split('>');
  const body = systems.map(({name, stages: list}) => {
    const logical = Math.max(...list.map((entry) => entry.logical?.mean ?? 0));
    return h(
      'tr',
      {},
      h('th', {scope: 'row'}, nameNodes(name)),
      list.map((entry) => lifeCell(entry, most, logical)),
    );
  });
  return h(
    'div',
    {class: 'scroll'},
    h(
      'table',
      {class: 'life'},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', {scope: 'col'}, 'System'),
          stages.map((stage) => h('th', {scope: 'col'}, `after ${stage}`)),
        ),
      ),
      h('tbody', {}, body),
    ),
  );
}

function drawLifecycle() {
  const controls =
    lifeChains.length === 0
      ? []
      : [
          select(
            'lifeChain',
            'Chain',
            lifeChains.map((chain) => ({value: chain, label: chain.replaceAll('>', ' › ')})),
          ),
          payloadChoice(),
          gradeChoice(),
          conditionChoice(),
        ];
  section(
    'life',
    'Delete and refill',
    'Bytes that the system’s files hold after each stage, beyond the empty system. The tick is the size ' +
      'of the whole dataset.',
    controls,
    ['lifeChain', 'payload', 'grade', 'condition'],
    () => {
      if (lifeChains.length === 0) return empty('The plan has no chain that deletes.');
      return [
        lifeTable(view.lifeChain),
        h(
          'p',
          {class: 'note'},
          'Freed: the share of the stored bytes before the stage that it gave back to the file system. ' +
            'Reused: the share of the refill that found room in the files as they were.',
        ),
      ];
    },
  );
}
