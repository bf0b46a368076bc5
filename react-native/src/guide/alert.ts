/** A dialog of the platform. A web page has a variant of this file. */
import { Alert, type AlertButton } from 'react-native';

export type { AlertButton };

export function showAlert(title: string, message: string, buttons: AlertButton[]): void {
  Alert.alert(title, message, buttons);
}
