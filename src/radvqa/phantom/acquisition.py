"""How a machine sees the body: windowed CT, MRI with coil shading, film with scatter; each with its own noise.

Every step that depends on the whole picture (scatter, exposure) is taken from the body without findings, so that the
pictures of twins, made with the same seed, are equal wherever no finding is near.
"""

import numpy as np
import numpy.typing as npt

from radvqa.phantom.geometry import SIZE, Array, blur, noise, wide_blur

Pixels = npt.NDArray[np.uint8]

WINDOWS = {  # centre and width in Hounsfield units, deviation of the noise
    "brain": (36.0, 84.0, 3.2),
    "lung": (-430.0, 1340.0, 26.0),
    "mediastinum": (50.0, 420.0, 13.0),
    "abdomen": (65.0, 360.0, 11.0),
}


def _normal(rng: np.random.Generator) -> Array:
    return rng.standard_normal((SIZE, SIZE), dtype=np.float32)


def _to_pixels(level: Array) -> Pixels:
    return np.asarray(np.clip(level * 255 + 0.5, 0, 255).astype(np.uint8))


def computed_tomography(hounsfield: Array, window: str, rng: np.random.Generator) -> Pixels:
    """Window a slice: nearly sharp, with the slightly grained noise of reconstruction."""
    centre, width, deviation = WINDOWS[window]
    grain = blur(_normal(rng), 0.7) * np.float32(2.1) + 0.35 * _normal(rng)
    seen = blur(hounsfield, 0.55) + grain * np.float32(deviation * rng.uniform(0.8, 1.3))
    return _to_pixels((seen - np.float32(centre - width / 2)) / np.float32(width))


def magnetic_resonance(signal: Array, rng: np.random.Generator) -> Pixels:
    """Shade by the coil, blur a little and add the noise of a magnitude image (Rician)."""
    shading = 1 + 0.085 * noise(rng, 2)
    gain = np.float32(rng.uniform(0.84, 0.96))
    deviation = np.float32(rng.uniform(0.022, 0.038))
    seen = blur(signal, 0.85) * np.clip(shading, 0.7, 1.3) * gain
    real, imaginary = seen + deviation * _normal(rng), deviation * _normal(rng)
    return _to_pixels(np.sqrt(real * real + imaginary * imaginary))


def radiograph(integral: Array, healthy: Array, rng: np.random.Generator) -> Pixels:
    """Turn attenuation into film: exponential law, scatter, quantum noise, logarithmic response.

    Args:
        integral: attenuation along each ray, with the findings.
        healthy: the same without findings; sets scatter and exposure.
        rng: the exposure's randomness.
    """
    scatter = np.float32(0.10) * wide_blur(np.exp(-healthy), 26)
    photons = blur(np.exp(-integral), 0.75) + scatter
    dose = np.float32(rng.uniform(9e3, 2.2e4))
    photons = photons + np.sqrt(np.maximum(photons, 0)) * blur(_normal(rng), 0.5) * 1.7 / np.sqrt(dose)
    film = -np.log(np.maximum(photons, 1e-4))
    still = -np.log(np.exp(-healthy) + scatter)
    dark, bright = np.percentile(still[::2, ::2], [1.5, rng.uniform(98.4, 99.5)])
    dark -= 0.06 * (bright - dark)
    level = (film - np.float32(dark)) / np.float32(bright - dark)
    return _to_pixels(np.clip(level, 0, 1.15) ** np.float32(rng.uniform(0.9, 1.12)) * np.float32(0.9) + 0.03)
