import { expect, it } from 'vitest'
import { createServing } from '../../controller/serving.ts'

it('a step that is over takes those before it along, and those that broke off do not pile up', () => {
  const serving = createServing()
  for (let step = 1; step <= 2_000; step++) serving.began(step, [`E${step}`])

  expect(serving.size).toBe(64)
  expect(serving.of(2_000)).toEqual(['E2000'])
  expect(serving.of(1_936)).toBeUndefined()

  serving.ended(1_999)
  expect(serving.size).toBe(1)
  expect(serving.of(2_000)).toEqual(['E2000'])
})
