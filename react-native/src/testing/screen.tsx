/** A rendered screen, driven as a user drives it: by what can be pressed, typed and read. */
import { type ReactNode, act as reactAct } from 'react';
import { create, type ReactTestInstance, type ReactTestRenderer } from 'react-test-renderer';

export interface Screen {
  tree: ReactTestRenderer;
  /** The element of the platform with this testID; undefined: there is none. */
  find(testID: string): ReactTestInstance | undefined;
  /** All text of an element, or of the screen. */
  text(testID?: string): string;
  press(testID: string): Promise<void>;
  type(testID: string, text: string): Promise<void>;
  /** Lets `ms` of the fake timers pass. */
  wait(ms: number): Promise<void>;
}

const shown: ReactTestRenderer[] = [];

/** Runs, and applies what it has changed. What changes between two calls, because the engine answers then, is applied too. */
export async function act<T>(run: () => Promise<T>): Promise<T> {
  const scope = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean; IS_REACT_NATIVE_TEST_ENVIRONMENT?: boolean };
  scope.IS_REACT_ACT_ENVIRONMENT = true;
  scope.IS_REACT_NATIVE_TEST_ENVIRONMENT = true;
  try {
    return await reactAct(run);
  } finally {
    scope.IS_REACT_ACT_ENVIRONMENT = false;
  }
}

/** Renders, and waits for what the first render asks for. */
export async function render(element: ReactNode): Promise<Screen> {
  let made: ReactTestRenderer | undefined;
  await act(async () => {
    made = create(element as Parameters<typeof create>[0]);
  });
  const tree = made as ReactTestRenderer;
  shown.push(tree);
  const all = (testID: string) => tree.root.findAll(({ props }) => props.testID === testID);
  const find = (testID: string) => all(testID).find(({ type }) => typeof type === 'string');
  /** The element that has the handler: that of the platform, or the component around it. */
  const handler = (testID: string, name: string) => {
    const one = all(testID).find(({ props }) => typeof props[name] === 'function');
    if (one === undefined) throw new Error(`nothing with the testID ${testID} has ${name}`);
    return one.props as Record<string, (...args: unknown[]) => void> & { disabled?: boolean };
  };
  return {
    tree,
    find,
    text(testID) {
      const within = testID === undefined ? tree.root : find(testID);
      return within === undefined ? '' : textOf(within);
    },
    async press(testID) {
      const props = handler(testID, 'onPress');
      if (props.disabled === true) throw new Error(`${testID} is disabled`);
      await act(async () => props.onPress?.());
    },
    async type(testID, text) {
      await act(async () => handler(testID, 'onChangeText').onChangeText?.(text));
    },
    async wait(ms) {
      await act(async () => {
        await jest.advanceTimersByTimeAsync(ms);
      });
    },
  };
}

/** Removes all that was rendered. */
export async function unmountAll(): Promise<void> {
  for (const tree of shown.splice(0)) await act(async () => tree.unmount());
}

function textOf(at: ReactTestInstance): string {
  const texts = at.children.map((child) => (typeof child === 'string' ? child : textOf(child)));
  return texts.filter((text) => text !== '').join(' ');
}
