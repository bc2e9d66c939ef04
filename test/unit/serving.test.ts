import { expect, it } from 'vitest'
import { createServing } from '../../controller/serving.ts'

it('a step that is over takes those before it along, and those that broke off do not pile up', () => {
  const serving = createServing()
  for (let step = 1; step <= 2_000; step++) serving.began(step, [`E${step}`])

  const kept = Array.from({ length: 2_000 }, (_, i) => i + 1).filter((step) => serving.of(step))
  expect(kept).toHaveLength(256)
  expect(serving.of(2_000)).toEqual(['E2000'])
  expect(serving.of(1_744)).toBeUndefined()

  serving.ended(1_999)
  expect(kept.filter((step) => serving.of(step))).toEqual([2_000])
  expect(serving.of(2_000)).toEqual(['E2000'])
})

it('a read-back speaks for all whom steps serve that are not over, and for each by the newest step that served it', () => {
  const serving = createServing()
  serving.began(1, ['E1', 'E2'])
  serving.began(2, ['E2', undefined])
  serving.began(3, ['E3'])

  expect(serving.upTo(2)).toEqual(['E1', 'E2', undefined])
  expect(['E1', 'E2', 'E3', undefined].map((one) => serving.newest(one, 2))).toEqual([1, 2, 2, 2])
  serving.ended(2)
  expect(serving.upTo(3)).toEqual(['E3'])
})
