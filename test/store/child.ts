// A process of its own on a data folder: `child.ts DIR controller|command COUNT` appends, and prints the number of each entry once it is durable.

import { systemClock } from '../../agent/clock.ts'
import { openStore } from '../../controller/store/sqlite.ts'

const [dir = '', as, count] = process.argv.slice(2)
const store = openStore({
  dir,
  as: as === 'command' ? 'command' : 'controller',
  clock: systemClock,
})
process.stdout.write('open\n')

const append = async () => {
  const seq = await store.commit((tx) => {
    const readback = tx.putArtifact('readback', 'ip route 203.0.113.0/26 blackhole tag 666')
    return tx.append({
      type: 'device.verified',
      outcome: 'ok',
      actor: { kind: 'agent', id: 'agent/edge1' },
      on: { device: 'edge1', enforcement: 'E1' },
      data: { step: 1, readback },
    })
  })
  process.stdout.write(`${seq}\n`)
}
for (let round = 0; round < Number(count); round++) {
  await Promise.all([append(), append(), append()])
}
store.close()
