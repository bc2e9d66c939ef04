// What can go wrong between an agent and its device, as a closed list of codes.

/** End of the remedy for what the agent tries again soon, without being asked. */
const byItself = '; it is tried again by itself'

/** End of the remedy for what a person must mend first. */
const withCheck = '; it is tried again with the next check, or by `nullroute retry`'

/** End of the remedy where no session comes about, and trying again can only make it worse: an account locks out. */
const onlyWithCheck = '; it is tried again only with the next check, or by `nullroute retry`'

/** Codes are contract: add, never rename or reuse. Each remedy says whether the agent tries again by itself. */
export const agentErrorCodes = {
  /** No TCP or SSH connection, or it was lost. */
  unreachable: `check power, cabling and routing of the device${byItself}`,
  /** No host key is known for the address. */
  host_key_unknown: `compare the key with the device and add it with \`nullroute keys scan\`${onlyWithCheck}`,
  /** The device shows another key than known_hosts has, or a revoked one. */
  host_key_changed: `find out why before anything else; once explained, replace the key in known_hosts${onlyWithCheck}`,
  /** The device refused user, key or password. */
  login_refused: `check username, key or password in the inventory and the account on the device${onlyWithCheck}`,
  /** The inventory names a key file, variable or agent that isn't there. */
  credentials_missing: `set the environment variable or file that the inventory names, for the process that runs the agents${onlyWithCheck}`,
  /** Privileged mode was refused. */
  enable_refused: `check the enable secret${onlyWithCheck}`,
  /** No prompt that the platform knows. */
  no_prompt: `check that the inventory names the right platform, and log in by hand to see what the device shows${byItself}`,
  wrong_platform: `correct \`platform\` of the device in the inventory${onlyWithCheck}`,
  no_privilege: `give the account the rights that \`nullroute device prepare\` lists${withCheck}`,
  /** No answer within the deadline. */
  timeout: `look at the load of the device, or raise deadlineMs for it${byItself}`,
  /** The device was in another context than the next line was meant for. Nothing more was sent. */
  unexpected_prompt:
    'look at the transcript: nothing more was sent, and what is in force is read from the device again by itself',
  /** Text came where the echo of a line of ours was due: what belongs to which line can't be told, so nothing of it is believed. */
  desync: `look at the transcript for text that something else prints into the session${byItself}`,
  /** The device asks something that no line of ours expects. It was not answered. */
  unexpected_question: `look at the transcript, answer by hand what the device asks${withCheck}`,
  /** A pager took the screen though paging was switched off. */
  pager: `look at the account's terminal settings on the device${byItself}`,
  /** The device refused a line. */
  line_refused: `look at the device's words in the transcript${withCheck}`,
  /** A read-back that the platform has no meaning for. */
  unknown_output:
    'send the transcript to the maintainers of the platform; nothing is sent or believed on a guess, and the device is read again by itself',
  /** The device took the lines and does not show them. */
  not_shown: `check the device by hand: it accepted the change and does not show it${byItself}`,
  /** It is only read, and what is to show there is not in force yet on the devices that it learns from. */
  awaits_others:
    'nothing was sent to this device, and it follows by itself once the devices that it learns from show the change',
  /** Someone else's session or timer is in the way. */
  locked: `wait for the other session, or ask its owner${byItself}`,
  /** A commit of ours could not be seen confirmed; the device takes it back by itself. */
  not_confirmed: `nothing: a commit that still waits is taken back by the device itself${byItself}`,
  /** More output than the bound allows. */
  too_much_output: `raise the bound, or look at why the device prints so much${byItself}`,
  /** As much was asked of the device already as may wait for it. Nothing was sent. */
  busy: 'ask again in a few seconds, or look at who asks so often',
  /** The agent was told to stop. */
  stopped: 'nothing: it goes on with the next start',
  /** A mistake of nullroute, or something that it could not write down. What it says was read or written is true all the same: nothing is believed of what broke off. */
  internal:
    'look for the device in the log of the controller, and report a mistake of nullroute with what stands there; nothing is believed of what broke off, and it is tried again by itself',
} as const

/** Characters that are kept of what a device said last. Cut only behind the removal of secrets: else a half of one might stay that nobody knows for one. */
export const lastOutputMax = 2_000

/** Why a dialogue with a device ended. */
export type AgentErrorCode = keyof typeof agentErrorCodes

/** A fault in the dialogue with a device. Decide by `code`, never by message. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: AgentErrorCode
  /** The last text that the device sent, secrets removed: the first thing an engineer asks for. */
  readonly lastOutput: string | undefined

  constructor(
    code: AgentErrorCode,
    message: string,
    detail: { lastOutput?: string; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause })
    this.code = code
    this.lastOutput = detail.lastOutput
  }

  /** The same error, with the end of what the device said, without secrets. */
  redacted(redact: (text: string) => string): AgentError {
    if (this.lastOutput === undefined) return this
    const lastOutput = redact(this.lastOutput).slice(-lastOutputMax)
    return new AgentError(this.code, this.message, { lastOutput, cause: this.cause })
  }

  /** What the person who reads this should do. */
  get remedy(): string {
    return agentErrorCodes[this.code]
  }
}

/** What is no fault of the dialogue, as one of it: a mistake of ours, or a book that could not be written. Its words go where people read, so without secrets, and never fails itself. */
export function internalFault(cause: unknown, redact: (text: string) => string): AgentError {
  const name = cause instanceof Error ? cause.name : 'something'
  let words = name
  try {
    if (cause instanceof Error) words = redact(`${name}: ${cause.message}`).slice(0, lastOutputMax)
  } catch {
    // What takes secrets out is a platform's, and may be what is broken: then only the name is safe.
  }
  return new AgentError('internal', `a step of the device agent broke off: ${words}`, { cause })
}
