// A process of its own that leaves statements to the garbage collector, idle between its turns: `freeing.ts DIR` prints the number of its turns when it has lived through all of them.

import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openFile } from '../../controller/store/database.ts'

const turns = 40
const db = openFile(join(process.argv[2] ?? '.', 'freed.db'), {})
let held = 0
for (let turn = 0; turn < turns; turn++) {
  for (let i = 0; i < 100; i++) db.prepare('select 1').get()
  // Enough that V8 collects between the turns, when no JavaScript runs: that is where a wrong binding aborts.
  held = Array.from({ length: 20_000 }, (_, i) => ({ i })).length
  await setTimeout(1)
}
db.close()
process.stdout.write(held > 0 ? `${turns}\n` : '')
