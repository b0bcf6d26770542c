// One call of an ATen operator through libtorch's stable C interface (torch/csrc/stable/c/shim.h), which dispatches with autograd,
// autocast and device just as the C++ and Python calls do.
//
// Who owns what: torch_call_dispatcher takes every handle on the stack (a tensor handle is one more reference to the same tensor; a
// list; the heap cell of an optional that holds something) and frees it as it converts the argument, so also when the operator then
// fails. Only an operator that libtorch does not have fails before that; the operators that Aten.cs names are in every build of the one
// version that TorchNatives accepts. A returned tensor belongs to the caller: TorchSharp's Tensor takes it over.
//
// Arguments of the schema type Scalar do not pass this interface; operators are called by their Tensor overloads instead.

using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace PaperLab.Native;

/// <summary>One argument of an operator. Managed until the call, so that bad input costs no native memory.</summary>
internal readonly unsafe struct AtenArgument
{
    private readonly IReadOnlyList<Tensor>? _list;
    private readonly Tensor? _tensor;
    private readonly ulong _bits;
    private readonly Kind _kind;

    private AtenArgument(Kind kind, ulong bits = 0, Tensor? tensor = null, IReadOnlyList<Tensor>? list = null) =>
        (_kind, _bits, _tensor, _list) = (kind, bits, tensor, list);

    private enum Kind : byte
    {
        None,
        Bits,
        OptionalBits,
        IntegerList,
        Tensor,
        OptionalTensor,
        TensorList,
    }

    /// <summary>Nothing, where the schema has a question mark.</summary>
    public static AtenArgument None => default;

    public static implicit operator AtenArgument(Tensor tensor) => new(Kind.Tensor, tensor: tensor);

    public static implicit operator AtenArgument(double value) => new(Kind.Bits, BitConverter.DoubleToUInt64Bits(value));

    public static implicit operator AtenArgument(long value) => new(Kind.Bits, (ulong)value);

    public static implicit operator AtenArgument(bool value) => new(Kind.Bits, value ? 1UL : 0UL);

    /// <summary>Tensor? in the schema.</summary>
    public static AtenArgument Optional(Tensor? tensor) => tensor is null ? None : new(Kind.OptionalTensor, tensor: tensor);

    /// <summary>float? in the schema.</summary>
    public static AtenArgument Optional(double? value) => value is { } number ? new(Kind.OptionalBits, BitConverter.DoubleToUInt64Bits(number)) : None;

    /// <summary>int[] with one entry.</summary>
    public static AtenArgument Integers(long only) => new(Kind.IntegerList, (ulong)only);

    /// <summary>Tensor[] in the schema.</summary>
    public static AtenArgument List(IReadOnlyList<Tensor> tensors) => new(Kind.TensorList, list: tensors);

    /// <summary>Throws TorchSharp's own error where a tensor was disposed of.</summary>
    public void RequireAlive()
    {
        _ = _tensor?.Handle;
        for (int i = 0; i < _list?.Count; i++)
        {
            _ = _list[i].Handle;
        }
    }

    /// <summary>The stack entry; whoever gets it owns it.</summary>
    public ulong ToNative() => _kind switch
    {
        Kind.Bits => _bits,
        Kind.OptionalBits => Cell(_bits),
        Kind.IntegerList => NewList([_bits]),
        Kind.Tensor => NewHandle(_tensor!),
        Kind.OptionalTensor => Cell(NewHandle(_tensor!)),
        Kind.TensorList => NewList(_list!),
        _ => 0,
    };

    /// <summary>Shape and dtype for an error message; empty for numbers.</summary>
    public string Describe() => (_tensor, _list) switch
    {
        ({ } tensor, _) => Describe(tensor),
        (_, { } list) => $"({string.Join(", ", list.Take(4).Select(Describe))}{(list.Count > 4 ? $" and {list.Count - 4} more" : "")})",
        _ => "",
    };

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";

    private static ulong NewHandle(Tensor tensor)
    {
        IntPtr handle;
        AtenCall.Check(AtenShim.Exports.NewTensorHandle(tensor.Handle, &handle), "aoti_torch_new_tensor_handle");
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    private static ulong NewList(IReadOnlyList<Tensor> tensors)
    {
        IntPtr list = NewEmptyList(tensors.Count);
        for (int i = 0; i < tensors.Count; i++)
        {
            AtenCall.Check(AtenShim.Exports.ListPushBack(list, NewHandle(tensors[i])), "torch_list_push_back");
        }

        return (ulong)list;
    }

    private static ulong NewList(ReadOnlySpan<ulong> values)
    {
        IntPtr list = NewEmptyList(values.Length);
        foreach (ulong value in values)
        {
            AtenCall.Check(AtenShim.Exports.ListPushBack(list, value), "torch_list_push_back");
        }

        return (ulong)list;
    }

    private static IntPtr NewEmptyList(int capacity)
    {
        IntPtr list;
        AtenCall.Check(AtenShim.Exports.NewList((nuint)capacity, &list), "torch_new_list_reserve_size");
        return list;
    }

    // libtorch deletes the cell; new and delete are malloc and free on every platform that it is built for.
    private static ulong Cell(ulong value)
    {
        var cell = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *cell = value;
        return (ulong)cell;
    }
}

/// <summary>Calls an operator by name, for example "aten::rms_norm", with all arguments of its schema in order.</summary>
internal static unsafe class AtenCall
{
    /// <summary>An operator that returns one tensor; it belongs to the caller's dispose scope.</summary>
    /// <exception cref="InvalidOperationException">The operator failed; the message names it and what it was given.</exception>
    public static Tensor Tensor(ReadOnlySpan<byte> name, params ReadOnlySpan<AtenArgument> arguments) =>
        TorchSharp.torch.Tensor.UnsafeCreateTensor((IntPtr)Dispatch(name, ""u8, arguments));

    /// <summary>An operator that returns nothing.</summary>
    /// <inheritdoc cref="Tensor" path="/exception"/>
    public static void Void(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, params ReadOnlySpan<AtenArgument> arguments) =>
        Dispatch(name, overload, arguments);

    public static void Check(int error, string function)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"{function} of libtorch failed; its reason stands on the error output (stderr).");
        }
    }

    // The names are literals, which end in a zero byte that their length does not count; pinning an empty span gives null instead.
    private static ulong Dispatch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> overload, ReadOnlySpan<AtenArgument> arguments)
    {
        foreach (ref readonly AtenArgument argument in arguments)
        {
            argument.RequireAlive();
        }

        ulong* stack = stackalloc ulong[Math.Max(arguments.Length, 1)];
        for (int i = 0; i < arguments.Length; i++)
        {
            stack[i] = arguments[i].ToNative();
        }

        byte empty = 0;
        fixed (byte* nameStart = name, overloadStart = overload)
        {
            if (AtenShim.Exports.CallDispatcher(nameStart, overloadStart is null ? &empty : overloadStart, stack, AtenShim.Exports.Abi) != 0)
            {
                throw Failed(name, arguments);
            }
        }

        return stack[0];
    }

    private static InvalidOperationException Failed(ReadOnlySpan<byte> name, ReadOnlySpan<AtenArgument> arguments)
    {
        List<string> tensors = [];
        foreach (ref readonly AtenArgument argument in arguments)
        {
            if (argument.Describe() is { Length: > 0 } description)
            {
                tensors.Add(description);
            }
        }

        return new InvalidOperationException(
            $"{Encoding.ASCII.GetString(name)} failed on {string.Join(", ", tensors)}. libtorch's own reason stands on the error output (stderr).");
    }
}

/// <summary>The exported functions, looked up once.</summary>
internal sealed unsafe class AtenShim
{
    public static readonly AtenShim Exports = new(TorchNatives.Load());

    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, ulong*, ulong, int> CallDispatcher;
    public readonly delegate* unmanaged[Cdecl]<IntPtr, IntPtr*, int> NewTensorHandle;
    public readonly delegate* unmanaged[Cdecl]<nuint, IntPtr*, int> NewList;
    public readonly delegate* unmanaged[Cdecl]<IntPtr, ulong, int> ListPushBack;

    /// <summary>The version whose schemas the arguments follow: major and minor in the two top bytes.</summary>
    public readonly ulong Abi;

    private AtenShim(LoadedNatives natives)
    {
        CallDispatcher = (delegate* unmanaged[Cdecl]<byte*, byte*, ulong*, ulong, int>)NativeLibrary.GetExport(natives.TorchCpu, "torch_call_dispatcher");
        NewTensorHandle = (delegate* unmanaged[Cdecl]<IntPtr, IntPtr*, int>)NativeLibrary.GetExport(natives.TorchCpu, "aoti_torch_new_tensor_handle");
        NewList = (delegate* unmanaged[Cdecl]<nuint, IntPtr*, int>)NativeLibrary.GetExport(natives.TorchCpu, "torch_new_list_reserve_size");
        ListPushBack = (delegate* unmanaged[Cdecl]<IntPtr, ulong, int>)NativeLibrary.GetExport(natives.TorchCpu, "torch_list_push_back");
        Abi = ((ulong)natives.Version.Major << 56) | ((ulong)natives.Version.Minor << 48);
    }
}
