/** What stands above the app: the inspector or the report form, as a page that the user can close. */
import { KeyboardAvoidingView, Modal, Platform, StatusBar } from 'react-native';
import { Form } from '../feedback/form';
import { InspectorPages } from '../inspector/pages';
import type { Shown } from './state';
import { useTheme } from './theme';

export function Layer({ shown, onClose }: { shown: Shown; onClose: () => void }) {
  const theme = useTheme();
  return (
    <Modal visible animationType="slide" presentationStyle="pageSheet" onRequestClose={onClose}>
      <KeyboardAvoidingView
        {...(Platform.OS === 'ios' && { behavior: 'padding' as const })}
        style={{
          flex: 1,
          backgroundColor: theme.page,
          // On Android the window of a modal can lie behind the status bar; on iOS a sheet begins below it.
          paddingTop: Platform.OS === 'android' ? (StatusBar.currentHeight ?? 0) : 0,
        }}
      >
        {shown.what === 'inspector' ? (
          <InspectorPages onClose={onClose} />
        ) : (
          <Form key={shown.number} {...shown.options} onClose={onClose} />
        )}
      </KeyboardAvoidingView>
    </Modal>
  );
}
