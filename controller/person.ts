// Who is who for four eyes: one person must not count as two by how the name is written. Pure.

/** Signs that a reader does not see: blanks, controls, joiners, marks of direction, fillers. */
const unseen = /[\s\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu

/** What two spellings of one person have in common: case, blanks, signs that can't be seen and compatible forms (a wide letter, a ligature) make no other person. To compare by, never to show. Letters of another alphabet that only look alike stay another person: who may make tokens for approvers is an admin's to watch. */
export function personKey(person: string): string {
  return person.normalize('NFKC').replace(unseen, '').toUpperCase().toLowerCase().normalize('NFKC')
}

/** A person as it is kept: in small letters, without what can't be seen, with single blanks. Empty where nothing is to be seen. */
export function personName(person: string): string {
  return person
    .normalize('NFKC')
    .replace(/\s+/gu, ' ')
    .replace(unseen, (sign) => (sign === ' ' ? ' ' : ''))
    .trim()
    .toLowerCase()
}

/** Whether both are the same person. */
export function samePerson(one: string, other: string): boolean {
  return personKey(one) === personKey(other)
}
