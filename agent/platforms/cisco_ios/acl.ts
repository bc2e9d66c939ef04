// Filter entries on IOS: members of the object group NULLROUTE, which the operator made, and bound in his own access lists.

import { familyOf } from '../../../inventory/prefix.ts'
import { type Intent, type Key, keyOf } from '../../intents.ts'
import { type Answer, type Facts, type Found, free, type Read, type Stop } from '../../platform.ts'
import { assumedNote, type Binding, type Bindings, partBindings, uplinkStop } from '../bindings.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { denyingLists, listsQuestion, type Meant, whyNot } from './access-lists.ts'
import { isUnknownLine } from './dialogue.ts'
import { groupName, memberObject, parseMember, sentinel } from './objects.ts'
import { canonicalPort } from './port-names.ts'

type Acl = Extract<Intent, { readonly kind: 'acl' }>

/** How the group is used: access lists with an entry for it, what lets traffic pass in them, and the interfaces on which lists stand. */
export const groupReads: readonly Read[] = [{ what: 'lists', line: free(listsQuestion, 'exec') }]

/** Prefixes in the group; undefined where there is no such group. Members of other kinds are nobody's business here. */
export function readGroup(answer: Answer): readonly string[] | undefined {
  const lines = answer.text.split('\n').filter((line) => line.trim() !== '')
  const header = lines.findIndex((line) => /^\S*\s*object group /i.test(line))
  if (header < 0) {
    if (lines.length === 0 || isUnknownLine(answer.text) || saysNoGroup(answer.text)) {
      return undefined
    }
    throw unknownOutput(answer, '`Network object group NULLROUTE` or nothing')
  }
  if (!/^Network object group /i.test(lines[header] ?? '')) return undefined
  const members = lines.slice(header + 1)
  if (!members.every((line) => line.startsWith(' '))) {
    throw unknownOutput(answer, 'members of the group, each behind a blank')
  }
  return members.map((line) => parseMember(line.trim())).filter((prefix) => prefix !== undefined)
}

/** Whether a line names an object group and then says that there is none. In two steps, or a line full of such words would be read once for each. */
function saysNoGroup(text: string): boolean {
  return text.split('\n').some((line) => {
    const at = line.search(/object.?group/i)
    const rest = at === -1 ? '' : line.slice(at)
    return / (?:does not exist|not found|is not configured|doesn't exist)/i.test(rest)
  })
}

/** What stands for an acl intent. Both directions have one member between them, which is named as their element. */
export function foundMember(
  intent: Acl,
  members: readonly string[] | undefined,
  { answers, facts }: { readonly answers: ReadonlyMap<string, Answer>; readonly facts: Facts },
): Found {
  const key = keyOf(intent)
  if (familyOf(intent.prefix) === 6) {
    return { key, object: [], effect: 'none', mark: 'unmarkable', inForce: 'unknown' }
  }
  const lists = answerTo(answers, 'lists').text
  const bindings = bindingsFor(intent, lists, facts)
  const stop = notPrepared(intent, { members, bindings, lists })
  const stands = members?.includes(intent.prefix) === true
  return {
    key,
    object: stands ? [memberObject(intent.prefix)] : [],
    effect: stands ? 'same' : 'none',
    // The group's name is the mark of all that is in it.
    mark: stands ? 'ours' : 'none',
    inForce: stands && stop === undefined ? 'yes' : 'no',
    element: memberObject(intent.prefix),
    // A member that stands can be taken away wherever the group is bound by now.
    ...(stop === undefined || stands ? {} : { stop }),
    ...(stop === undefined ? { note: assumedNote('denied', bindings) } : {}),
  }
}

function notPrepared(
  intent: Acl,
  {
    members,
    bindings,
    lists,
  }: {
    readonly members: readonly string[] | undefined
    readonly bindings: Bindings
    readonly lists: string
  },
): Stop | undefined {
  const remedy = 'paste the lines of `nullroute device prepare`, with the names of your own lists'
  if (members === undefined) {
    return { code: 'not_prepared', message: `there is no object group ${groupName}`, remedy }
  }
  if (bindings.bound.length > 0) return undefined
  const entry =
    intent.direction === 'in'
      ? `deny ip object-group ${groupName} any`
      : `deny ip any object-group ${groupName}`
  const message = `no access list that stands on an interface in direction \`${intent.direction}\` has \`${entry}\` before every entry that may let a part of it pass${whyNot(intent, lists)}`
  return uplinkStop(bindings) ?? { code: 'not_prepared', message, remedy }
}

/** The lists that deny the group, and where they stand: as source on what comes in from the customer, as destination on what goes out to him. */
export function bindingsFor(meant: Meant, lists: string, facts: Facts): Bindings {
  const places = new Map<string, string[]>()
  let port = ''
  for (const line of lists.split('\n')) {
    port = /^interface (\S+)/.exec(line)?.[1] ?? port
    const [, list, way] = /^ +ip access-group (\S+) (in|out)\b/.exec(line) ?? []
    if (list !== undefined && way === meant.direction) {
      places.set(list, [...(places.get(list) ?? []), port])
    }
  }
  const all = denyingLists(meant, lists).map(
    (filter): Binding => ({ filter, interfaces: places.get(filter) ?? [] }),
  )
  const standing = all.filter(({ interfaces }) => interfaces.length > 0)
  return partBindings(standing, facts, { canonicalPort })
}

/** Members that no intent asks for: ours by the group's name, under the key of the direction `in`. */
export function membersOf(
  members: readonly string[] | undefined,
  asked: ReadonlyMap<Key, Found>,
): readonly Found[] {
  const elements = new Set([...asked.values()].map(({ element }) => element))
  const found: Found[] = []
  for (const member of members ?? []) {
    // The members come from `parseMember`, which makes prefixes.
    const intent = { kind: 'acl', direction: 'in', prefix: member as Acl['prefix'] } as const
    const object = memberObject(intent.prefix)
    if (intent.prefix === sentinel || elements.has(object)) continue
    const key = keyOf(intent)
    found.push({ key, object: [object], effect: 'same', mark: 'ours', inForce: 'unknown' })
  }
  return found
}
