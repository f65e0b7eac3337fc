import { capturePostmark } from '@postmark-smtp/core'
import { Observable } from 'rxjs'

/** The same stream, subscribed to in the scope that is open here: Nest subscribes after a method has returned. */
export function keepScope<T>(source: Observable<T>): Observable<T> {
  const reenter = capturePostmark()
  return new Observable((subscriber) => reenter(() => source.subscribe(subscriber)))
}
