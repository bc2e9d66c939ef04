// FRRouting through vtysh. Peculiar: each line is live when typed, is looked up in the current node and then in each parent, and some refusals carry no `%`.

import { enter, free, type Platform, terminalColumns } from '../../platform.ts'
import { industrySecrets, withoutSecrets } from '../redaction.ts'
import { batches } from './batch.ts'
import { clean, whole } from './daemons.ts'
import { observe, parse } from './observe.ts'
import { judge, prepare, reads } from './preflight.ts'
import { noFilter, render, unseenNeighbors } from './render.ts'
import { failed, open, prompt } from './session.ts'

/** Time for a save, in ms. */
const saveMs = 60_000

/** FRRouting 8.4 and 10.x: line by line; blackhole, port and neighbor. */
export const frr: Platform = {
  name: 'frr',
  source:
    'FRRouting User Guide 8.4 and 10.x (Basic Commands, VTY shell, Static Route Commands, BGP); recordings of 8.4.4 and 10.3 in test/fixtures/frr; tried on 8.4.4 by test/lab. Between 8.4.4 and 10.3, VRF devices, the JSON of `longer-prefixes`, and that of kernel routes in several VRFs: unverified',
  limits: [
    { kind: 'acl', reason: noFilter },
    { kind: 'port', reason: unseenNeighbors },
  ],
  newline: '\n',
  echo: true,
  // readline wraps its echo at the width of the terminal; the longest line, with a message, is about 200.
  columns: terminalColumns,
  pager: { sign: /(?:\(END\)|--More--) ?$/ },
  open,
  prompt,
  failed,
  // The kernel's own names: in one spelling only.
  clean,
  canonicalPort: (name) => name,
  beside: 'linux',
  redact: (text) => withoutSecrets(text, industrySecrets),
  rest: 'exec',
  observe,
  parse,
  render,
  transaction: {
    kind: 'line',
    // In exec it opens the configuration, in any other context it is unknown: so it may end the write of the reads.
    enter: [{ ...enter('configure terminal', 'exec', 'config'), free: true, locked: /locked by/ }],
    // Likewise: unknown in exec, and back to it from everywhere else.
    leave: [{ ...enter('end', 'config', 'exec'), free: true }],
    batches,
  },
  save: {
    scope: 'everything',
    whole,
    // Without watchfrr there is no `[OK]`, so success is the line that names the file.
    lines: () => [
      {
        ...free('write memory', 'exec'),
        expect: /^(?:Integrated c|C)onfiguration saved to /m,
        deadlineMs: saveMs,
      },
    ],
  },
  preflight: { reads, judge },
  prepare,
  configuration: [{ what: 'config', line: free('show running-config', 'exec') }],
  canonical: (answers) =>
    [...answers.values()]
      .map((answer) => answer.text)
      .join('\n')
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => !volatile.test(line))
      .join('\n'),
}

/** Said about a configuration, or between its parts, and not part of it. A saved file has other words around it than a running one. */
const volatile = /^(?:Building configuration\.\.\.|Current configuration:|frr version .*| *!?|end)$/
