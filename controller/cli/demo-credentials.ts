// Where `nullroute demo` leaves address and tokens, and how the other commands find them: only while nothing else says where the controller is.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Role, roles } from '../store/store.ts'

/** The folder, in the working folder, that a demo writes. */
export const demoFolder = '.demo'

const Credentials = z.object({
  url: z.url(),
  tokens: z.record(z.enum(roles), z.string()),
})
/** Address of a demo's controller, and a token for each role. */
export type DemoCredentials = z.output<typeof Credentials>

/** The environment with the demo's address and token in it, where it names none itself and a demo runs in this folder. */
export function withDemoCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Readonly<Record<string, string | undefined>> {
  if ((environment['NULLROUTE_URL'] ?? '') !== '') return environment
  if ((environment['NULLROUTE_TOKEN'] ?? '') !== '') return environment
  const found = readDemoCredentials(join(folder, demoFolder, 'credentials.json'))
  if (found === undefined) return environment
  const wanted = environment['NULLROUTE_DEMO_ROLE'] ?? 'admin'
  const role = roles.find((one) => one === wanted) ?? 'admin'
  return { ...environment, NULLROUTE_URL: found.url, NULLROUTE_TOKEN: found.tokens[role] }
}

/** What stands in the file, or undefined where there is none that can be used. */
function readDemoCredentials(file: string): DemoCredentials | undefined {
  try {
    return Credentials.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // No demo here, or one of another version: the command then asks for NULLROUTE_TOKEN as usual.
    return undefined
  }
}

/** A file to `source`: the same for other programs, with a token for each role. */
export function demoEnvironmentFile({ url, tokens }: DemoCredentials): string {
  return [
    '# Written by `nullroute demo`: gone when it ends. NULLROUTE_TOKEN is the admin, the others are people of their own.',
    `export NULLROUTE_URL=${url}`,
    `export NULLROUTE_TOKEN=${tokens.admin}`,
    ...roles.map((role: Role) => `export NULLROUTE_TOKEN_${role.toUpperCase()}=${tokens[role]}`),
    '',
  ].join('\n')
}
