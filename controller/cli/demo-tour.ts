// What a demo prints: where things are, and commands to try in another terminal, in an order in which each works. Pure.

import type { Style } from './print.ts'

/** Names and addresses that a tour is about. */
export interface Sights {
  /** An address of a hosting customer, the customer, and an address of somebody else in the same subnet. */
  readonly address: string
  readonly customer: string
  readonly neighbour: string
  /** A customer with BGP sessions. */
  readonly bgp: string
  /** An edge. */
  readonly device: string
}

/** The example ISP, as the demo simulates it. */
export const simulatedSights: Sights = {
  address: '203.0.113.10',
  customer: 'esthost',
  neighbour: '203.0.113.70',
  bgp: 'rovernet',
  device: 'edge2.fra',
}

/** The lab of test/lab. */
export const labSights: Sights = {
  address: '203.0.113.10',
  customer: 'esthost',
  neighbour: '203.0.113.20',
  bgp: 'bgpcust',
  device: 'edge1',
}

/** One thing to try. */
export interface Stop {
  readonly what: string
  /** Command lines, each as it can be typed. */
  readonly commands: readonly string[]
}

/** The stops of a tour. `call` begins a command line of this program, `data` is the demo's data folder as typed. */
export function tour(sights: Sights, call: string, data: string): readonly Stop[] {
  const { address, customer, neighbour, bgp, device } = sights
  const reason = `--category phishing --summary "phishing kits on ${address}" --ticket ABUSE-2041`
  return [
    { what: 'Who has this address?', commands: [`${call} lookup ${address}`] },
    {
      what: 'The devices, and whether one is fit for the work',
      commands: [`${call} device list`, `${call} device check ${device}`],
    },
    {
      what: `What would suspending ${customer} do? Nothing is touched; each line that would be sent is shown`,
      commands: [`${call} suspend ${customer} ${reason} --dry-run --online`],
    },
    {
      what: 'Do it, and watch it come into force',
      commands: [`${call} suspend ${customer} ${reason}`],
    },
    {
      what: 'What is in force now, and that the neighbour in the same subnet has lost nothing',
      commands: [`${call} status`, `${call} lookup ${neighbour}`],
    },
    {
      what: 'Give it back: each device ends as it was before',
      commands: [`${call} release ${customer} --reason "kits removed, host patched"`],
    },
    {
      what: `Shut the BGP sessions of ${bgp} and nothing else, then give them back`,
      commands: [
        `${call} suspend ${bgp} --playbook depeer --category ddos --summary "flood towards a resolver" --ticket ABUSE-2042`,
        `${call} release ${bgp} --reason "flood is over"`,
      ],
    },
    {
      what: 'Who did what, and whether the record of it is whole',
      commands: [
        `${call} audit search --customer ${customer}`,
        `${call} audit verify --data ${data}`,
      ],
    },
  ]
}

/** What is said at the end of the start. */
export interface Welcome {
  readonly style: Style
  readonly url: string
  /** A line on each device, with its address. */
  readonly devices: readonly string[]
  readonly folder: string
  readonly stops: readonly Stop[]
  /** Things that are other than expected: a taken port. */
  readonly remarks: readonly string[]
}

/** The whole text. Command lines to try begin with two blanks and `$ `. */
export function welcome({ style, url, devices, folder, stops, remarks }: Welcome): string {
  const { bold, dim, cyan } = style.colours
  return [
    ...remarks.map((remark) => `${remark}\n`),
    bold(`nullroute is ready: ${url} (API reference at ${url}/docs)`),
    '',
    ...devices.map((line) => `  ${line}`),
    '',
    `In another terminal, in this folder (its tokens are found in ${folder}; other programs: source ${folder}/env):`,
    ...stops.flatMap(({ what, commands }, at) => [
      '',
      `${at + 1}. ${what}`,
      ...commands.map((command) => `  ${dim('$')} ${cyan(command)}`),
    ]),
    '',
    `The log of the controller is ${folder}/nullroute.log. Ctrl-C ends all of it.`,
  ].join('\n')
}
