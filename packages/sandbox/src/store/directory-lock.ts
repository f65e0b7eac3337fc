import { createHash, randomBytes } from 'node:crypto'
import { linkSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostmarkError } from '@postmark-smtp/core'

/** A directory that only one process uses. */
export interface DirectoryLock {
  release(): void
}

/** The path of a socket may have 104 bytes on some systems and 108 on others, including the names below. */
const LONGEST_PATH = 80

/**
 * Locks a directory for this process. The lock is a socket that the process listens on. It ends with the process, however
 * that ends, and also works between containers, which do not know each other's process IDs.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if another process has it
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  if (process.platform === 'win32') return lockPipe(directory)
  const folder = Buffer.byteLength(directory) <= LONGEST_PATH ? directory : tmpdir()
  const prefix = folder === directory ? 'lock' : `postmark-sandbox-${hashOf(directory)}`
  const own = join(folder, `${prefix}-${randomBytes(4).toString('hex')}`)
  const lock = join(folder, prefix)
  const server = await listen(own, directory)
  try {
    // Only one process can make the link, and the socket is live before it has the name.
    while (!tryLink(own, lock)) await removeIfStale(lock, directory)
  } catch (error) {
    server.close()
    throw error
  }
  return {
    release() {
      rmSync(lock, { force: true })
      server.close()
    },
  }
}

/** The system lets only one process listen on a pipe, and ends it with the process. */
async function lockPipe(directory: string): Promise<DirectoryLock> {
  const server = await listen(`\\\\.\\pipe\\postmark-sandbox-${hashOf(directory)}`, directory)
  return { release: () => void server.close() }
}

function hashOf(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 16)
}

function listen(path: string, directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? inUse(directory) : cannotLock(directory, error)),
    )
    server.listen(path, () => resolve(server)).unref()
  })
}

/** Whether the name was free. */
function tryLink(own: string, lock: string): boolean {
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock of a dead process, and throws if the process is alive. */
async function removeIfStale(lock: string, directory: string): Promise<void> {
  if (await isAlive(lock)) throw inUse(directory)
  const taken = `${lock}-${randomBytes(4).toString('hex')}`
  try {
    renameSync(lock, taken)
  } catch {
    // Another process removed it.
    return
  }
  // A third process may have placed its own lock in the meantime, and gets it back.
  const isTheirs = await isAlive(taken)
  if (isTheirs) tryLink(taken, lock)
  rmSync(taken, { force: true })
  if (isTheirs) throw inUse(directory)
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // EAGAIN: so many ask that its queue is full.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'))
  })
}

function inUse(directory: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', `Another sandbox uses the data directory ${directory}.`, {
    hint: 'Stop it, or give each sandbox its own directory.',
  })
}

function cannotLock(directory: string, cause: Error): PostmarkError {
  const message = `The data directory ${directory} cannot be locked: ${cause.message}.`
  const hint = 'Use a directory on a local disk or volume that this user may write to.'
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint, cause })
}
