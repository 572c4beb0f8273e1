"""Tensors that may be spread over processes (torch's ``DTensor``, of FSDP); others pass as they are."""

from torch import Tensor


def whole(tensor: Tensor) -> Tensor:
    """The whole of a tensor; where it is spread, all processes must ask for it."""
    full = getattr(tensor, "full_tensor", None)
    return tensor if full is None else full()


def like(pattern: Tensor, tensor: Tensor) -> Tensor:
    """A whole tensor, spread as another one is."""
    if not hasattr(pattern, "full_tensor") or pattern.shape != tensor.shape:
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(pattern, DTensor):
        return tensor
    here = tensor.to(pattern.device)
    # every process holds all of it, so nothing is sent
    return distribute_tensor(here, pattern.device_mesh, pattern.placements, src_data_rank=None)
