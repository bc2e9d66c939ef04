// Juniper Junos and Junos Evolved. Peculiar: one candidate for everybody, and a confirmed commit that any commit or check of anybody confirms.

import { free, type Platform, terminalColumns } from '../../platform.ts'
import { junosSecrets, withoutSecrets } from '../redaction.ts'
import { transaction } from './candidate.ts'
import { clean, failed, open, operational, prompt, question } from './dialogue.ts'
import { follow, observe, parse } from './observe.ts'
import { canonicalPort } from './port-names.ts'
import { preflight, prepare } from './preflight.ts'
import { bothDirections, deactivates, render } from './render.ts'

/** Time for a whole configuration to be printed, in ms. */
const configurationMs = 120_000

/** Junos 17 and later: an exclusive candidate, compared and checked, committed with a timer, confirmed after the read-back. */
export const juniper_junos: Platform = {
  name: 'juniper_junos',
  source:
    'Junos CLI User Guide (configure, commit confirmed); native YANG models 17.4 to 24.4; published sessions of 21.2, 23.2, 25.4 and 26.2. Unverified on a device: apply-macro without a key, the JSON of `show route P range`, `commit check` as confirmation from exclusive mode, the words of a shut peer in `show bgp neighbor`',
  limits: [
    { kind: 'acl', reason: bothDirections },
    { kind: 'neighbor', reason: deactivates },
  ],
  newline: '\n',
  echo: true,
  // The CLI draws long lines anew: wide enough for the longest.
  columns: terminalColumns,
  pager: { sign: /(?:^|\n)---\(more(?: \d+%)?\)---$/, key: ' ' },
  question,
  clean,
  open,
  prompt,
  failed,
  canonicalPort,
  redact: (text) => withoutSecrets(text, junosSecrets),
  rest: operational,
  observe,
  follow,
  parse,
  render,
  transaction,
  // No save: a commit survives a reboot.
  preflight,
  prepare,
  configuration: [
    {
      what: 'config',
      line: {
        ...free('show configuration | display set | no-more', operational),
        deadlineMs: configurationMs,
      },
    },
  ],
  canonical: (answers) =>
    [...answers.values()]
      .flatMap(({ text }) => text.split('\n'))
      .map((line) => line.trimEnd())
      .filter((line) => /^(?:set|deactivate|protect) /.test(line))
      .join('\n'),
}
