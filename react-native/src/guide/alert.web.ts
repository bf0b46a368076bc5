/** A web page's dialog has one button, so the others cannot be chosen there: `Alert` of react-native-web shows nothing. */
export interface AlertButton {
  text?: string;
  onPress?: () => void;
}

export function showAlert(title: string, message: string, _buttons: AlertButton[]): void {
  const { alert } = globalThis as { alert?: (text: string) => void };
  if (typeof alert === 'function') alert(`${title}\n\n${message}`);
}
