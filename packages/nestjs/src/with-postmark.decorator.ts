import 'reflect-metadata'
import { type PostmarkFields, parseFields, runWithPostmark } from '@postmark-smtp/core'
import { isObservable } from 'rxjs'
import { keepScope } from './keep-scope.js'

/**
 * Opens a scope around a method: each email sent within it carries the fields, no matter what calls the method. It works
 * on handlers of controllers, resolvers, message patterns and gateways, on scheduled jobs and on plain providers, above
 * or below their other decorators.
 * @example @WithPostmark({ tag: 'welcome' })
 * @throws PostmarkError ERR_POSTMARK_FIELDS when the class is defined
 */
export function WithPostmark(fields: PostmarkFields): MethodDecorator {
  const parsed = parseFields(fields)
  return (_target, _key, descriptor) => {
    const method = descriptor.value as (...args: unknown[]) => unknown
    const scoped = function (this: unknown, ...args: unknown[]): unknown {
      return runWithPostmark(parsed, () => {
        const result = method.apply(this, args)
        return isObservable(result) ? keepScope(result) : result
      })
    }
    carryOver(method, scoped)
    descriptor.value = scoped as NonNullable<typeof descriptor.value>
  }
}

/** Copies the metadata of a method, where Nest keeps its routes, patterns, guards and schedules. */
function carryOver(from: object, to: object): void {
  for (const key of Reflect.getOwnMetadataKeys(from)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to)
  }
  Object.defineProperties(to, Object.getOwnPropertyDescriptors(from))
}
