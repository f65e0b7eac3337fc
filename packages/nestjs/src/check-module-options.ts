import { isPostmarkError, PostmarkError } from '@postmark-smtp/core'

const FACTORIES = ['useFactory', 'useClass', 'useExisting']

/**
 * Throws if the options are not an object, or if it contains a factory.
 * @param where what the message begins with
 * @param example an example of such options
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function checkOptions(options: unknown, where: string, example: string): void {
  const give = `Pass an object such as ${example}.`
  if (options === undefined || options === null) {
    const unset = 'If they come from an environment variable or a configuration, check that it is set.'
    throw refuse(`${where}: the options are ${options}. ${give} ${unset}`)
  }
  if (typeof options !== 'object') throw refuse(`${where}: the options are a ${typeof options}. ${give}`)
  const factory = FACTORIES.find((key) => key in options)
  if (factory) throw refuse(`${where}: ${factory} belongs in forRootAsync. ${give}`)
}

/**
 * Throws if the options have no factory, which Nest would report as a dependency that it cannot find.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function checkAsyncOptions(options: object | undefined, where: string): void {
  const given: Readonly<Record<string, unknown>> = { ...options }
  if (FACTORIES.some((key) => given[key] !== undefined)) return
  throw refuse(`${where}: useFactory, useClass or useExisting is required. Plain options belong in forRoot.`)
}

/** Throws because a module was imported without options. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function refuseBareModule(name: string): never {
  throw refuse(
    `${name} was imported without options. Import ${name}.forRoot({ … }) or ${name}.forRootAsync({ … }).`,
  )
}

/** Runs a function that reads the options of a module. An error names that module, and is printed once. */
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
