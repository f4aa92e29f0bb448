; The five functions that LLVM calls for 128-bit multiplication and division on BPF.
;
; Why they are written here: LLVM 23 expects their result in the register pair R0:R2, but rustc 1.96 returns a 128-bit
; value through a hidden pointer, so the ones of compiler-builtins would leave garbage in the registers. A function
; that returns `i128` in LLVM's own language gets LLVM's convention. patches/05 renames the originals to __sbpf_*, and
; the divisions below pass their operands on to those, by pointer as rustc does.

target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "bpfel"

; x * y modulo 2^128, for signed and unsigned alike. With x = xh*2^64 + xl and y likewise, the product is
;
;     xl*yl + (xh*yl + yh*xl) * 2^64
;
; where xl*yl needs all its 128 bits and the rest only 64. BPF has no widening multiplication, so xl and yl are cut into
; 32-bit halves, xl = b*2^32 + a and yl = d*2^32 + c:
;
;     xl*yl = a*c + (b*c + a*d) * 2^32 + b*d * 2^64
;
; The middle column is summed in two steps, neither of which can overflow 64 bits:
;
;     s = b*c + (a*c >> 32)             at most (2^32-1)^2 + 2^32-1 < 2^64
;     t = a*d + (s mod 2^32)            likewise
;     low  = (t << 32) | (a*c mod 2^32)
;     high = b*d + xh*yl + yh*xl + (s >> 32) + (t >> 32)   modulo 2^64
;
; Do not reorder the additions: in the textbook order LLVM recognises a 128-bit product and turns the body into a call
; of __multi3, of itself.
define hidden i128 @__multi3(i128 %x, i128 %y) noinline {
  %xl = trunc i128 %x to i64
  %x.upper = lshr i128 %x, 64
  %xh = trunc i128 %x.upper to i64
  %yl = trunc i128 %y to i64
  %y.upper = lshr i128 %y, 64
  %yh = trunc i128 %y.upper to i64

  %a = and i64 %xl, 4294967295
  %b = lshr i64 %xl, 32
  %c = and i64 %yl, 4294967295
  %d = lshr i64 %yl, 32
  %ac = mul i64 %a, %c
  %ad = mul i64 %a, %d
  %bc = mul i64 %b, %c
  %bd = mul i64 %b, %d

  %ac.high = lshr i64 %ac, 32
  %s = add i64 %bc, %ac.high
  %s.low = and i64 %s, 4294967295
  %s.high = lshr i64 %s, 32
  %t = add i64 %ad, %s.low
  %t.high = lshr i64 %t, 32

  %ac.low = and i64 %ac, 4294967295
  %t.shifted = shl i64 %t, 32
  %low = or disjoint i64 %t.shifted, %ac.low

  %xh.yl = mul i64 %xh, %yl
  %yh.xl = mul i64 %yh, %xl
  %high.1 = add i64 %bd, %xh.yl
  %high.2 = add i64 %high.1, %yh.xl
  %high.3 = add i64 %high.2, %s.high
  %high = add i64 %high.3, %t.high

  %low.wide = zext i64 %low to i128
  %high.wide = zext i64 %high to i128
  %upper = shl i128 %high.wide, 64
  %product = or i128 %upper, %low.wide
  ret i128 %product
}

; Unsigned quotient
declare void @__sbpf_udivti3(ptr, ptr, ptr)
define hidden i128 @__udivti3(i128 %x, i128 %y) noinline {
  %result = alloca i128, align 16
  %x.place = alloca i128, align 16
  %y.place = alloca i128, align 16
  store i128 %x, ptr %x.place, align 16
  store i128 %y, ptr %y.place, align 16
  call void @__sbpf_udivti3(ptr sret([16 x i8]) align 16 %result, ptr %x.place, ptr %y.place)
  %value = load i128, ptr %result, align 16
  ret i128 %value
}

; Unsigned remainder
declare void @__sbpf_umodti3(ptr, ptr, ptr)
define hidden i128 @__umodti3(i128 %x, i128 %y) noinline {
  %result = alloca i128, align 16
  %x.place = alloca i128, align 16
  %y.place = alloca i128, align 16
  store i128 %x, ptr %x.place, align 16
  store i128 %y, ptr %y.place, align 16
  call void @__sbpf_umodti3(ptr sret([16 x i8]) align 16 %result, ptr %x.place, ptr %y.place)
  %value = load i128, ptr %result, align 16
  ret i128 %value
}

; Signed quotient, towards zero
declare void @__sbpf_divti3(ptr, ptr, ptr)
define hidden i128 @__divti3(i128 %x, i128 %y) noinline {
  %result = alloca i128, align 16
  %x.place = alloca i128, align 16
  %y.place = alloca i128, align 16
  store i128 %x, ptr %x.place, align 16
  store i128 %y, ptr %y.place, align 16
  call void @__sbpf_divti3(ptr sret([16 x i8]) align 16 %result, ptr %x.place, ptr %y.place)
  %value = load i128, ptr %result, align 16
  ret i128 %value
}

; Signed remainder, with the sign of the dividend
declare void @__sbpf_modti3(ptr, ptr, ptr)
define hidden i128 @__modti3(i128 %x, i128 %y) noinline {
  %result = alloca i128, align 16
  %x.place = alloca i128, align 16
  %y.place = alloca i128, align 16
  store i128 %x, ptr %x.place, align 16
  store i128 %y, ptr %y.place, align 16
  call void @__sbpf_modti3(ptr sret([16 x i8]) align 16 %result, ptr %x.place, ptr %y.place)
  %value = load i128, ptr %result, align 16
  ret i128 %value
}
