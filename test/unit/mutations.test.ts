import { describe, expect, it } from 'vitest'
import { allMutations, sourceOf } from '../mutations/mutations.ts'

describe('a mutation', () => {
  it.each(allMutations().map((one) => [one.name, one] as const))(
    '“%s” changes a text that stands once in its file',
    (_, { file, from, to }) => {
      expect(sourceOf(file).split(from).length - 1).toBe(1)
      expect(to).not.toBe(from)
    },
  )
})
