// Every request and response of the API, as zod schemas: what the server checks, what OpenAPI shows, and what the CLI's and the console's types are made of.
// The one way in; the parts are in schema/.

export * from './schema/admin.ts'
export * from './schema/decision.ts'
export * from './schema/device.ts'
export * from './schema/enforcement.ts'
export { components } from './schema/formats.ts'
export { problemsOf, type RequestProblem } from './schema/issues.ts'
export * from './schema/plan.ts'
