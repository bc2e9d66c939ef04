// A controller in a process of its own, so that it can be killed: `child.ts CONFIG` with the configuration as JSON. Prints its address and a token, and runs until then.

import pino from 'pino'
import { type Config } from '../../../controller/config.ts'
import { createToken } from '../../../controller/desk/tokens.ts'
import { startController } from '../../../controller/main.ts'

const config = JSON.parse(process.argv[2] ?? '') as Config
const log = pino({ level: 'silent' })
const { url, controller } = await startController(config, { log, environment: process.env })
const at = new Date().toISOString()
const who = {
  actor: { kind: 'system', id: 'story' },
  id: '01ARZ3NDEKTSV4RRFFQ69G5FZZ',
  at,
} as const
const { token } = await createToken(controller.store, who, {
  name: 'child',
  roles: ['admin', 'abuse'],
})
process.stdout.write(`${JSON.stringify({ url, token })}\n`)
