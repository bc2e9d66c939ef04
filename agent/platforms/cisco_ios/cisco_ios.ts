// Cisco IOS and IOS-XE. Peculiar: each line is live when typed, and means what the mode makes of it; a refused line leaves the session in the mode where it was.

import { enter, free, type Platform, terminalColumns } from '../../platform.ts'
import { industrySecrets, withoutSecrets } from '../redaction.ts'
import { clean, failed, lockWords, open, prompt, question } from './dialogue.ts'
import { follow, observe, parse } from './observe.ts'
import { canonicalPort } from './port-names.ts'
import { preflight, prepare } from './preflight.ts'
import { bothDirections, noIpv6Filter, noMessage, render } from './render.ts'
import { save } from './save.ts'

/** Time for a whole configuration to be printed, in ms. */
const configurationMs = 120_000

/** Cisco IOS 12.4T and 15.x, IOS-XE 3.x to 17.x: line by line, with our own inverse lines as the way back. */
export const cisco_ios: Platform = {
  name: 'cisco_ios',
  source:
    'Cisco IOS Configuration Fundamentals Command Reference; Managing Configuration Files (XE 3S to 17.x); IP Routing and BGP configuration guides; Object Groups for ACLs; published recordings of 15.1 to 17.12. Unverified on a device: the name of `ipv6 route` before IOS-XE 16, `show reload`, IPv6 VRF summaries, `show ipv6 route P longer-prefixes`',
  limits: [
    { kind: 'acl', reason: `IPv6: ${noIpv6Filter}` },
    { kind: 'acl', reason: bothDirections },
    { kind: 'neighbor', reason: noMessage },
  ],
  newline: '\n',
  echo: true,
  columns: terminalColumns,
  pager: { sign: /(?:^|\n) ?--More-- ?$/, key: ' ' },
  question,
  clean,
  open,
  prompt,
  failed,
  canonicalPort,
  redact: (text) => withoutSecrets(text, industrySecrets),
  rest: 'exec',
  observe,
  follow,
  parse,
  render,
  transaction: {
    kind: 'line',
    // Not `free`: while somebody holds the configuration lock it is refused, and what follows would be typed into exec.
    enter: [{ ...enter('configure terminal', 'exec', 'config'), locked: lockWords }],
    // Once a configuration prompt was seen it leads to exec from every mode.
    leave: [{ ...enter('end', 'config', 'exec'), free: true }],
  },
  save,
  preflight,
  prepare,
  configuration: [
    {
      what: 'config',
      line: { ...free('show running-config', 'exec'), deadlineMs: configurationMs },
    },
  ],
  canonical: (answers) =>
    [...answers.values()]
      .flatMap(({ text }) => text.split('\n'))
      .map((line) => line.trimEnd())
      .filter((line) => line !== '' && !volatile.test(line))
      .join('\n'),
}

/** Said about the configuration, moved by the device itself, or only parting what is around it: how many `!` stand at the top depends on what is said there. */
const volatile =
  /^(?: *!|Building configuration\.\.\.|Current configuration ?: .*|! (?:Last configuration change|NVRAM config last updated|No configuration change) .*|ntp clock-period \d+)$/
