import { PassThrough, type Readable } from 'node:stream'
import type { Message } from './nodemailer-types.js'

type ProcessFunction = NonNullable<Message['_processFuncs']>[number]

/**
 * Makes a message that cannot be composed fail through its stream, because its reader does not expect an exception.
 * @param openRaw opens the content of a raw message for each attempt
 */
export function guardReading(message: Message, openRaw: (() => Readable) | undefined): void {
  const { createReadStream } = message
  message.createReadStream =
    openRaw || Object.hasOwn(message, 'createReadStream')
      ? (...args) =>
          readGuarded(() => {
            if (openRaw) message.setRaw(openRaw())
            return createReadStream.apply(message, args)
          })
      : readMessage
  const signers = message._processFuncs
  if (signers && signers.length > 0) message._processFuncs = signers.map(takeErrors)
}

/** Shared by all messages, because thousands may wait. */
function readMessage(this: Message, ...args: unknown[]): NodeJS.ReadableStream {
  const { createReadStream } = Object.getPrototypeOf(this) as Message
  return readGuarded(() => createReadStream.apply(this, args))
}

function readGuarded(read: () => NodeJS.ReadableStream): NodeJS.ReadableStream {
  try {
    return read()
  } catch (error) {
    const failed = new PassThrough()
    setImmediate(() => failed.destroy(error as Error))
    return failed
  }
}

/**
 * Nodemailer 7 to 9 mistake the function that signs a message for the stream before it. They emit the error of a
 * content on it, which throws where nobody can catch it.
 */
function takeErrors(sign: ProcessFunction): ProcessFunction {
  let output: ReturnType<ProcessFunction> | undefined
  const signing: ProcessFunction = (input) => {
    output = sign(input)
    return output
  }
  return Object.assign(signing, {
    emit: (event: string, error: unknown) => output?.emit(event, error),
  })
}
