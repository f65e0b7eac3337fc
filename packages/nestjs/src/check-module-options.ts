import { isPostmarkError, PostmarkError } from '@postmark-smtp/core'

const FACTORIES = ['useFactory', 'useClass', 'useExisting']

/**
 * Refuses what is no object of options, and a factory in their place.
 * @param where what the message begins with
 * @param example options as they could be
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function checkOptions(options: unknown, where: string, example: string): void {
  const give = `Give an object such as ${example}.`
  if (options === undefined || options === null) {
    const unset = 'Where they come from an environment variable or a configuration, that one is not set.'
    throw refuse(`${where}: the options are ${options}. ${give} ${unset}`)
  }
  if (typeof options !== 'object') throw refuse(`${where}: the options are a ${typeof options}. ${give}`)
  const factory = FACTORIES.find((key) => key in options)
  if (factory) throw refuse(`${where}: ${factory} is for forRootAsync. ${give}`)
}

/**
 * Refuses options without a factory, which Nest would report as a dependency that it cannot find.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function checkAsyncOptions(options: object | undefined, where: string): void {
  const given: Readonly<Record<string, unknown>> = { ...options }
  if (FACTORIES.some((key) => given[key] !== undefined)) return
  throw refuse(
    `${where}: useFactory, useClass or useExisting is needed. Options themselves belong in forRoot.`,
  )
}

/** Refuses a module that was imported without options. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function refuseBareModule(name: string): never {
  throw refuse(
    `${name} was imported without options. Import ${name}.forRoot({ … }) or ${name}.forRootAsync({ … }).`,
  )
}

/** Runs what reads the options of a module; an error says which module it is about, and is printed once. */
export function namingModule<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isPostmarkError(error)) throw error
    const { code, message, problems, hint, cause } = error
    throw new PostmarkError(code, `${where}: ${message}`, { problems, hint, cause })
  }
}

function refuse(message: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message)
}
