package shop;

/** An app whose order fails. Prints the exception as `kind, class, method, file, line`, separated by tabs, innermost frame first. */
public final class Main {
    public static void main(String[] words) {
        try {
            new Checkout(words.length).order();
        } catch (RuntimeException error) {
            for (Throwable part = error; part != null; part = part.getCause()) {
                System.out.println("exception\t" + part.getClass().getName() + "\t" + part.getMessage());
                for (StackTraceElement frame : part.getStackTrace()) {
                    String place = frame.getFileName() + "\t" + frame.getLineNumber();
                    System.out.println("frame\t" + frame.getClassName() + "\t" + frame.getMethodName() + "\t" + place);
                }
            }
        }
    }
}

class Checkout {
    private final Cart cart = new Cart();
    private final int words;

    Checkout(int words) {
        this.words = words;
    }

    void order() {
        try {
            Runnable paying = () -> System.out.println(cart.total(words));
            paying.run();
        } catch (ArithmeticException cause) {
            throw new OrderException("order 7", cause);
        }
    }
}

class Cart {
    int total(int words) {
        int sum = 0;
        for (int item = 0; item < 3; item++) {
            sum += price(item, words);
        }
        return sum;
    }

    private int price(int item, int words) {
        return 100 / share(item, words);
    }

    private static int share(int item, int words) {
        return 100 / (item - 1 - words) + 1;
    }
}

class OrderException extends RuntimeException {
    OrderException(String message, Throwable cause) {
        super(message, cause);
    }
}
