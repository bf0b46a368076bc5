import { StyleSheet } from 'react-native';

export const color = {
  back: '#faf7f2',
  card: '#ffffff',
  line: '#e7e0d5',
  text: '#2b2420',
  faint: '#7a6f66',
  accent: '#b4441f',
};

export const text = StyleSheet.create({
  title: { fontSize: 22, fontWeight: '700', color: color.text },
  body: { fontSize: 16, color: color.text },
  faint: { fontSize: 13, color: color.faint },
  price: { fontSize: 16, fontWeight: '600', color: color.accent },
});

export const rupees = (amount: number) => `₹${amount}`;
