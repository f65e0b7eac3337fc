import { readBody } from '../api/api-body.js'
import { API_CODES, apiError } from '../api/api-error.js'
import type { ControlParameter, ControlRequest, ControlRoute } from './control-route.js'

/** The parts of an HTTP request that {@link readRequest} reads. */
export interface HttpParts {
  readonly route: ControlRoute
  readonly query: URLSearchParams
  readonly body: string
  readonly signal: AbortSignal
  pathPart(name: string): string
}

/**
 * Reads a request as the parameters of its route say. The case of names is ignored. An unknown name is refused, because a
 * misspelled `subjct` would otherwise match every email.
 */
export function readRequest({ route, query, body: text, signal, pathPart }: HttpParts): ControlRequest {
  const body = readBody(text)
  const values = new Map<string, unknown>()
  const seen = new Set<string>()
  for (const [name, value] of query) add('query', name, value)
  for (const [name, value] of Object.entries(body)) add('body', name, value)
  for (const { name } of route.parameters.filter((parameter) => parameter.in === 'path'))
    values.set(name.toLowerCase(), pathPart(name.toLowerCase()))

  function add(place: 'query' | 'body', name: string, value: unknown) {
    const parameter = route.parameters.find((each) => each.in === place && isNamed(each, name))
    if (parameter === undefined) throw unknownParameter(route, place, name)
    if (seen.has(name.toLowerCase()))
      throw apiError(API_CODES.invalidRequest, `'${name}' is given twice. Send it only once.`)
    seen.add(name.toLowerCase())
    // The ways in which clients send no value.
    if (value !== undefined && value !== null && value !== '')
      values.set(name.toLowerCase(), readValue(parameter, name, value))
  }

  for (const { name, required } of route.parameters)
    if (required && !values.has(name.toLowerCase()))
      throw apiError(API_CODES.invalidRequest, `${route.method} ${route.path} requires '${name}'.`)

  const get = (name: string) => values.get(name.toLowerCase())
  return {
    text: (name) => get(name) as string | undefined,
    required: (name) => get(name) as string,
    number: (name) => get(name) as number | undefined,
    list: (name) => get(name) as readonly unknown[] | undefined,
    given: get,
    startingWith: (prefix) =>
      [...values]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), String(value)] as const),
    signal,
  }
}

function isNamed({ name }: ControlParameter, given: string): boolean {
  const [wanted, lower] = [name.toLowerCase(), given.toLowerCase()]
  return wanted.endsWith('*')
    ? lower.length >= wanted.length && lower.startsWith(wanted.slice(0, -1))
    : lower === wanted
}

function unknownParameter(route: ControlRoute, place: 'query' | 'body', name: string) {
  const known = route.parameters.filter((each) => each.in === place).map((each) => `'${each.name}'`)
  const has = known.length > 0 ? `It takes ${known.join(', ')}.` : `It takes nothing in the ${place}.`
  const what = place === 'query' ? 'parameter' : 'key'
  return apiError(API_CODES.invalidRequest, `${route.method} ${route.path} has no ${what} '${name}'. ${has}`)
}

function readValue({ type, values }: ControlParameter, name: string, value: unknown): unknown {
  const refuse = (wanted: string) => apiError(API_CODES.incompatibleJson, `'${name}' must be ${wanted}.`)
  if (type === 'number' || type === 'count') {
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !(number >= 0)) throw refuse('a number, 0 or more')
    if (type === 'count' && !Number.isInteger(number)) throw refuse('a whole number, 0 or more')
    return number
  }
  if (type === 'flag') {
    if (typeof value !== 'boolean') throw refuse('true or false')
    return value
  }
  if (type === 'list') {
    if (!Array.isArray(value)) throw refuse('a list')
    return value
  }
  if (typeof value !== 'string') throw refuse('a string')
  if (values && !values.includes(value))
    throw apiError(API_CODES.incompatibleJson, `'${name}' must be one of: ${values.join(', ')}.`)
  return value
}
