# java_double.py - what Java's Double.toString makes of a double: python's shortest digits in its layout.
import math


def java_double(value):
    if math.isnan(value):
        return 'NaN'
    sign = '-' if math.copysign(1, value) < 0 else ''
    value = abs(value)
    if math.isinf(value):
        return sign + 'Infinity'
    if value == 0:
        return sign + '0.0'
    text = '%.1e' % value  # of two digits the nearest, even where one would do: 4.9E-324
    if float(text) != value:
        text = repr(value)
    mantissa, _, exponent = text.partition('e')
    whole, _, fraction = mantissa.partition('.')
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    point -= len(digits) - len(digits.lstrip('0'))
    digits = digits.strip('0')
    if 1e-3 <= value < 1e7:
        if point <= 0:
            return sign + '0.' + '0' * -point + digits
        digits = digits.ljust(point, '0')
        return sign + digits[:point] + '.' + (digits[point:] or '0')
    return sign + digits[0] + '.' + (digits[1:] or '0') + 'E' + str(point - 1)
