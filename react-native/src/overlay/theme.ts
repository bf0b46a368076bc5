/** The colours of the inspector and of the report form. */
import { useColorScheme } from 'react-native';

export interface Theme {
  page: string;
  card: string;
  line: string;
  text: string;
  faint: string;
  accent: string;
  onAccent: string;
  bad: string;
}

const LIGHT: Theme = {
  page: '#f4f5f7',
  card: '#ffffff',
  line: '#d5d9e0',
  text: '#14181f',
  faint: '#566070',
  accent: '#1f4fd8',
  onAccent: '#ffffff',
  bad: '#b3261e',
};

const DARK: Theme = {
  page: '#0e1116',
  card: '#181c24',
  line: '#343b48',
  text: '#eef1f6',
  faint: '#a3adbd',
  accent: '#8fb0ff',
  onAccent: '#0b1220',
  bad: '#ff9c94',
};

export function useTheme(): Theme {
  return useColorScheme() === 'dark' ? DARK : LIGHT;
}
