export function pay() {
  throw new TypeError('card declined');
}
